"""Settings of evaluation."""

from typing import Literal

from pydantic import Field, field_validator

from visrec.config.base import Config

BaselineName = Literal["popularity", "recent_popularity", "item_knn", "ease", "oracle"]


class EvaluationConfig(Config):
    """What is measured, and against what. Which split is tested is the split that the checkpoint was trained on."""

    part: Literal["test", "validation"] = "test"
    ks: tuple[int, ...] = (5, 10, 20, 50)
    baselines: tuple[BaselineName, ...] = ("popularity", "recent_popularity", "item_knn", "ease", "oracle")
    """`oracle` is left out where the snapshot has no truth beside it."""
    bootstrap_samples: int = Field(2000, ge=10, le=100_000)
    confidence: float = Field(0.95, gt=0, lt=1)
    recent_days: float = Field(7.0, gt=0)
    """Window of the recent-popularity baseline, up to the end of training."""
    knn_neighbours: int = Field(100, ge=1)
    ease_regularisation: float = Field(50.0, gt=0)
    max_ease_items: int = Field(20_000, ge=1)
    """EASE inverts an items x items matrix; larger catalogues leave it out, and the report says so."""
    truth: str | None = None
    """Folder with the truth of generated data; null looks where the snapshot's manifest says the input came from."""

    @field_validator("ks")
    @classmethod
    def _ks(cls, ks: tuple[int, ...]) -> tuple[int, ...]:
        if not ks or min(ks) < 1:
            raise ValueError("needs one or more cut-offs of at least 1")
        return tuple(sorted(set(ks)))
