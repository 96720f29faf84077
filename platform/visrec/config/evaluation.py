"""Settings of evaluation."""

from typing import Literal

from pydantic import Field, field_validator

from visrec.config.attack import AttackConfig
from visrec.config.base import Config

BaselineName = Literal["popularity", "recent_popularity", "item_knn", "ease", "oracle"]


class EvaluationConfig(Config):
    """What is measured, and against what. Which split is tested is the split that the checkpoint was trained on."""

    part: Literal["test", "validation"] = "test"
    ks: tuple[int, ...] = (5, 10, 20, 50)
    """Cut-offs of the ranking metrics."""
    list_size: int = Field(10, ge=1, le=1000)
    """Length of the lists whose coverage, novelty and diversity are measured, and the cut-off of groups and plots;
    joined to `ks`."""
    baselines: tuple[BaselineName, ...] = ("popularity", "recent_popularity", "item_knn", "ease", "oracle")
    """`oracle` is left out where the snapshot has no truth beside it."""
    bootstrap_samples: int = Field(2000, ge=10, le=100_000)
    confidence: float = Field(0.95, gt=0, lt=1)
    recent_days: float = Field(7.0, gt=0)
    """Window of the recent-popularity baseline, up to the end of training."""
    knn_neighbours: int = Field(100, ge=1)
    ease_regularisation: float = Field(50.0, gt=0)
    max_ease_items: int = Field(10_000, ge=1)
    """EASE inverts an items x items matrix (0.8 GB at 10,000 items, with the cube in time); larger catalogues leave it
    out, and the report says so."""
    max_pairs: int = Field(2_500_000, ge=1)
    """Pairs (user, unseen item) that the pair classification looks at; users are drawn where there are more."""
    ranker: str = "latest"
    """Also measure the two towers' candidates in the order of this ranker: a name, `latest` for the last one that was
    trained for the checkpoint, if there is one, or `none`."""
    truth: str | None = None
    """Folder with the truth of generated data; null looks where the snapshot's manifest says the input came from."""
    attack: AttackConfig | None = None
    """Robustness against changed pictures; null leaves it out."""

    @field_validator("ks")
    @classmethod
    def _ks(cls, ks: tuple[int, ...]) -> tuple[int, ...]:
        if not ks or min(ks) < 1:
            raise ValueError("needs one or more cut-offs of at least 1")
        return tuple(sorted(set(ks)))

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """`ks` and `list_size`, ascending."""
        return tuple(sorted({*self.ks, self.list_size}))
