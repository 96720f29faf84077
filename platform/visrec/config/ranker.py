"""Settings of the learned ranker."""

from typing import Literal

from pydantic import Field, field_validator

from visrec.config.base import NEGATIVE_KINDS, Config, EventKind

POSITIVE = "positive"
"""The ranker's main task: is this candidate what the user takes next?"""


class RankerConfig(Config):
    """What the ranker learns from, and how."""

    num_candidates: int = Field(200, ge=2, le=10_000)
    """Items that the two towers retrieve for each user."""
    max_history: int = Field(200, ge=1, le=10_000)
    """Most recent events of a user that the features look at."""
    max_users: int = Field(20_000, ge=10, le=10_000_000)
    """Most users learned from (drawn by the seed); their lists are held in memory."""
    tasks: tuple[EventKind, ...] = ("click", "like", "purchase")
    """Kinds of events that impressions are learned for as well. A kind with too few examples is left out."""
    min_task_examples: int = Field(100, ge=1)
    """Least number of positives, and of negatives, that a task needs."""
    task_weights: dict[str, float] = {POSITIVE: 1.0}
    """The order of the list goes by the sum of the tasks' log-odds with these weights, such as
    `{positive: 1, purchase: 0.2}`."""
    impression_weight: float = Field(0.3, ge=0, le=100)
    """Weight of the loss on impressions beside that on retrieved lists."""
    cross_layers: int = Field(1, ge=0, le=8)
    hidden_dim: int = Field(16, ge=1, le=4096)
    dropout: float = Field(0.5, ge=0, lt=1)
    learning_rate: float = Field(2e-3, gt=0, le=1)
    weight_decay: float = Field(3.0, ge=0, le=100)
    epochs: int = Field(10, ge=1, le=10_000)
    batch_size: int = Field(64, ge=1)
    """Users a step."""
    folds: int = Field(4, ge=2, le=20)
    """Parts of the users for cross-fitting: metrics and calibration come from users that the network has not seen."""
    calibration: Literal["isotonic", "platt"] = "isotonic"

    @field_validator("tasks")
    @classmethod
    def _kinds(cls, tasks: tuple[EventKind, ...]) -> tuple[EventKind, ...]:
        wrong = [kind for kind in tasks if kind in NEGATIVE_KINDS or kind == "view"]
        if wrong:
            raise ValueError(f"expected kinds that say yes, got {', '.join(wrong)}")
        return tuple(dict.fromkeys(tasks))
