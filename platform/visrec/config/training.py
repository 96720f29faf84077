"""Settings of training: the phases, and how they are spread over workers."""

from typing import Literal, Self

from pydantic import Field, model_validator

from visrec.config.base import Config

ValidationMetric = Literal["ndcg@10", "recall@10", "precision@10", "f1@10", "hr@10", "mrr", "auc"]
Split = Literal["leave_one_out", "global_time", "cold_items"]


class SplitConfig(Config):
    """Which part of each sequence trains, which validates, which tests."""

    protocol: Split = "leave_one_out"
    fit_on: Literal["train", "train_and_validation"] = "train"
    """`train_and_validation` is the refit before a final test or a release; it has no validation numbers."""
    cold_seed: int = Field(0, ge=0)
    """Draws the held-out items of `cold_items`."""
    cold_share: float = Field(0.1, gt=0, lt=0.5)
    """Share of items held out as test-cold; as many again are validation-cold."""


class LossConfig(Config):
    """What is minimised."""

    name: Literal["sampled_softmax", "full_softmax"] = "sampled_softmax"
    """`sampled_softmax`: over the distinct items of the batch. `full_softmax`: over the whole catalogue, for ids or
    small catalogues only."""
    logq_correction: bool = True
    """Subtract log Q(i), the log of item i's share of the sampled batches (Bengio & Senecal 2008; Yi et al. 2019)."""
    num_uniform_negatives: int = Field(0, ge=0, le=1_000_000)
    """Items drawn uniformly from the catalogue as negatives, besides those of the batch."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)


class PhaseConfig(Config):
    """One stretch of training. Phases run in order, each from where the one before ended."""

    name: str = Field("base", pattern=r"^[a-z0-9][a-z0-9_-]*$")
    trainable: Literal["all", "head"] = "all"
    """`head` freezes the picture backbone."""
    epochs: int = Field(5, ge=0, le=10_000)
    batch_size: int = Field(64, ge=1, le=1_000_000)
    """Sequences a step, on each worker."""
    learning_rate: float = Field(2e-3, gt=0, le=10)
    backbone_learning_rate: float | None = Field(None, gt=0, le=10)
    """Learning rate of the picture backbone; null takes `learning_rate`."""
    weight_decay: float = Field(1e-4, ge=0, le=10)
    warmup_steps: int = Field(10, ge=0)
    schedule: Literal["constant", "cosine"] = "cosine"
    gradient_clip: float = Field(1.0, gt=0)
    """Largest norm of the gradient."""
    loss: LossConfig = LossConfig()
    max_windows_per_user: int = Field(8, ge=1, le=100_000)
    """A sequence longer than `model.user.max_length` is cut into windows of that length, at a new offset each epoch;
    of the longest users only so many windows, drawn at random, are used in one epoch."""
    early_stopping_epochs: int = Field(0, ge=0)
    """Stop the phase after so many epochs without a better validation NDCG; 0 is off."""


class ScalingConfig(Config):
    """How training is spread: Ray Train's own names."""

    num_workers: int = Field(1, ge=0, le=10_000)
    """Worker processes (DDP). 0 runs the loop in this process, without Ray Train."""
    use_gpu: bool = False
    resources_per_worker: dict[str, float] | None = None
    max_failures: int = Field(3, ge=-1)
    """Restarts from the last checkpoint after a lost worker; -1 is without limit."""


class TrainingConfig(Config):
    """The phases and everything around them."""

    split: SplitConfig = SplitConfig()
    phases: tuple[PhaseConfig, ...] = (PhaseConfig(),)
    scaling: ScalingConfig = ScalingConfig()
    selection_metric: ValidationMetric = "ndcg@10"
    """Validation metric that names the best epoch."""
    validation_users: int = Field(2000, ge=1)
    """Most users that the validation after each epoch scores (drawn by the seed)."""
    checkpoint_every_steps: int = Field(0, ge=0)
    """Also save a checkpoint after so many steps within an epoch; 0 saves at the end of each epoch."""
    torch_threads: int = Field(0, ge=0)
    """Threads of each worker; 0 takes what Ray gives it."""

    @model_validator(mode="after")
    def _phases(self) -> Self:
        names = [p.name for p in self.phases]
        if not names:
            raise ValueError("at least one phase is needed")
        if len(set(names)) != len(names):
            raise ValueError(f"each phase needs a name of its own, got {', '.join(names)}")
        return self
