"""Settings of the learned ranker."""

from typing import Literal

from pydantic import Field, field_validator

from visrec.config.base import NEGATIVE_KINDS, Config, EventKind

POSITIVE = "positive"
"""Name of the ranker's main task: is this candidate the user's next positive?"""


class RankerConfig(Config):
    """The learned ranker, which re-scores the candidates that the two towers retrieve."""

    num_candidates: int = Field(200, ge=2, le=10_000)
    """Candidates that the two towers retrieve for each user."""
    max_history: int = Field(200, ge=1, le=10_000)
    """Most recent events of a user that the features are computed from."""
    max_users: int = Field(20_000, ge=10, le=10_000_000)
    """Most users of the training data, sampled by the seed; their candidate lists are held in memory."""
    tasks: tuple[EventKind, ...] = ("click", "like", "purchase")
    """Auxiliary tasks: event kinds whose probability after an impression is learned as well. A kind with too few
    examples is left out."""
    min_task_examples: int = Field(100, ge=1)
    """Smallest number of positive and of negative examples of an auxiliary task."""
    task_weights: dict[str, float] = {POSITIVE: 1.0}
    """Lists are ordered by the sum of the tasks' log-odds with these weights, such as `{positive: 1, purchase: 0.2}`;
    `positive` is the main task."""
    impression_weight: float = Field(0.3, ge=0, le=100)
    """Factor on the loss over logged impressions, beside the loss over retrieved candidate lists."""
    cross_layers: int = Field(1, ge=0, le=8)
    """Cross layers of the network, which multiply features (DCN-V2: Wang et al. 2021)."""
    hidden_dim: int = Field(16, ge=1, le=4096)
    """Width of the hidden layer."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout before the output layer."""
    learning_rate: float = Field(2e-3, gt=0, le=1)
    """Learning rate of AdamW."""
    weight_decay: float = Field(3.0, ge=0, le=100)
    """Decoupled weight decay of AdamW."""
    epochs: int = Field(10, ge=1, le=10_000)
    """Passes over the training users."""
    batch_size: int = Field(64, ge=1)
    """Users in a training step."""
    folds: int = Field(4, ge=2, le=20)
    """Folds of the users for cross-fitting: metrics and calibration use predictions for users outside the training
    fold."""
    calibration: Literal["isotonic", "platt"] = "isotonic"
    """Calibration of the probabilities: isotonic regression, or Platt scaling."""

    @field_validator("tasks")
    @classmethod
    def _kinds(cls, tasks: tuple[EventKind, ...]) -> tuple[EventKind, ...]:
        wrong = [kind for kind in tasks if kind in NEGATIVE_KINDS or kind == "view"]
        if wrong:
            raise ValueError(f"expected kinds of positive feedback, got {', '.join(wrong)}")
        return tuple(dict.fromkeys(tasks))
