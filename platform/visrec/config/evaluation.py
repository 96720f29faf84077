"""Settings of evaluation."""

from typing import Literal

from pydantic import Field, field_validator

from visrec.config.base import Config
from visrec.config.paths import PathOrUri

CorruptionName = Literal["jpeg", "blur", "noise", "brightness"]
Severity = Literal["mild", "medium", "strong"]


class AttackConfig(Config):
    """Robustness: an adversarial promotion attack on item pictures, and common image corruptions."""

    kind: Literal["pixels"] = "pixels"
    """Attack on pixels, which changes pictures of unpopular items to bring them into users' lists.
    `evaluation.attack` is null by default, which measures no robustness; `visrec evaluate --attack pixels` sets this
    key."""
    epsilons: tuple[int, ...] = (2, 4, 8)
    """Attack budgets: largest change of a pixel value (L-infinity norm), on the scale from 0 to 255."""
    steps: int = Field(20, ge=1, le=10_000)
    """Steps of projected gradient descent."""
    step_size: float | None = Field(None, gt=0, le=255)
    """Change of a pixel value in one step, on the scale from 0 to 255; null takes 2.5 epsilon / steps."""
    num_targets: int = Field(100, ge=1)
    """Attacked items, sampled by the seed from the less popular half of the catalogue."""
    max_users: int = Field(2000, ge=1)
    """Most users for whom the attack is optimised, and on whom its effect is measured; sampled by the seed."""
    source_checkpoint: str | None = None
    """Transfer attack: name of another checkpoint of the same snapshot, against which the pictures are optimised as
    well before they are tried on this one. null leaves it out."""
    corruptions: tuple[CorruptionName, ...] = ("jpeg", "blur", "noise", "brightness")
    """Common corruptions, applied to all pictures."""
    severities: tuple[Severity, ...] = ("mild", "medium", "strong")
    """Severities of the corruptions."""

    @field_validator("epsilons")
    @classmethod
    def _epsilons(cls, epsilons: tuple[int, ...]) -> tuple[int, ...]:
        if not epsilons or min(epsilons) < 0 or max(epsilons) > 255:
            raise ValueError("needs one or more whole numbers from 0 to 255")
        return tuple(sorted(set(epsilons)))


FittedBaseline = Literal["popularity", "recent_popularity", "item_knn", "ease"]
BaselineName = Literal[FittedBaseline, "oracle"]


class EvaluationConfig(Config):
    """Evaluation of a checkpoint against baselines, on the split that the checkpoint was trained with."""

    part: Literal["test", "validation"] = "test"
    """Part of the split whose held-out events are predicted."""
    ks: tuple[int, ...] = (5, 10, 20, 50)
    """Cut-offs k of the ranking metrics."""
    list_size: int = Field(10, ge=1, le=1000)
    """Length of the recommendation lists for coverage, novelty and diversity, and the cut-off in groups of users or
    items and in plots. It is measured as a cut-off as well, whether `ks` holds it or not."""
    baselines: tuple[BaselineName, ...] = ("popularity", "recent_popularity", "item_knn", "ease", "oracle")
    """Baselines. `oracle` scores by the true tastes behind generated data and is left out for all other data."""
    bootstrap_samples: int = Field(2000, ge=10, le=100_000)
    """Resamples of the users for the paired bootstrap intervals."""
    confidence: float = Field(0.95, gt=0, lt=1)
    """Confidence level of the intervals."""
    recent_days: float = Field(7.0, gt=0)
    """`recent_popularity`: length of the window, which ends with the last known event."""
    knn_neighbours: int = Field(100, ge=1)
    """`item_knn`: neighbours of each item."""
    ease_regularisation: float = Field(50.0, gt=0)
    """`ease`: strength of the L2 regularisation (lambda)."""
    max_ease_items: int = Field(10_000, ge=1)
    """`ease`: largest catalogue; for larger ones it is left out, and the report says so. An items x items matrix is
    inverted: 0.8 GB at 10,000 items, and time grows with the cube of the number of items."""
    max_pairs: int = Field(2_500_000, ge=1)
    """Most pairs of a user and an unseen item for classification metrics such as AUC and F1; users are sampled where
    there are more."""
    ranker: str = "latest"
    """Ranker whose order of the two towers' candidates is measured too: a name, `latest` for the last one that was
    trained for the checkpoint, if there is one, or `none`."""
    truth: PathOrUri | None = None
    """Folder with the ground truth of generated data; null takes the place that the snapshot's manifest names, if
    any."""
    attack: AttackConfig | None = None
    """Robustness evaluation; null leaves it out."""

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
