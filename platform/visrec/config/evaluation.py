"""Settings of evaluation."""

from typing import Literal

from pydantic import Field, field_validator

from visrec.config.base import Config

CorruptionName = Literal["jpeg", "blur", "noise", "brightness"]
Severity = Literal["mild", "medium", "strong"]


class AttackConfig(Config):
    """An attacker changes the pictures of unpopular items to push them into the lists; and common corruptions."""

    kind: Literal["pixels"] = "pixels"
    """`evaluation.attack` is null by default, which leaves robustness out; `visrec evaluate --attack pixels` sets this
    key, and so turns it on."""
    epsilons: tuple[int, ...] = (2, 4, 8)
    """Most that the attacker may change a pixel, of 255."""
    steps: int = Field(20, ge=1, le=10_000)
    """Steps of projected gradient descent."""
    step_size: float | None = Field(None, gt=0, le=255)
    """Change of a pixel in one step, of 255; null takes 2.5 epsilon / steps."""
    num_targets: int = Field(100, ge=1)
    """Items that are attacked, drawn by the seed among the less popular half."""
    max_users: int = Field(2000, ge=1)
    """Most users whose lists the attacker aims at, and on whom the effect is measured (drawn by the seed)."""
    source_checkpoint: str | None = None
    """Another checkpoint of the same snapshot: the pictures are computed against it as well, and tried on this one
    (transferred attack)."""
    corruptions: tuple[CorruptionName, ...] = ("jpeg", "blur", "noise", "brightness")
    """Changes of all pictures without an attacker."""
    severities: tuple[Severity, ...] = ("mild", "medium", "strong")

    @field_validator("epsilons")
    @classmethod
    def _epsilons(cls, epsilons: tuple[int, ...]) -> tuple[int, ...]:
        if not epsilons or min(epsilons) < 0 or max(epsilons) > 255:
            raise ValueError("needs one or more whole numbers from 0 to 255")
        return tuple(sorted(set(epsilons)))


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
