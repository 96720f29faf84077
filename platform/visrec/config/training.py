"""Settings of training: the phases, and how they are spread over workers."""

from typing import Literal, Self

from pydantic import Field, model_validator

from visrec.config.base import Config
from visrec.config.phase import PhaseConfig

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

    @property
    def is_set_valued(self) -> bool:
        """Whether a user can have several held-out items, which are ranked as a set; leave-one-out holds out one."""
        return self.protocol != "leave_one_out"


class ScalingConfig(Config):
    """How training is spread: Ray Train's own names."""

    num_workers: int = Field(1, ge=0, le=10_000)
    """Worker processes (DDP). 0 runs the loop in this process, without Ray Train."""
    use_gpu: bool = False
    """One GPU for each worker."""
    resources_per_worker: dict[str, float] | None = None
    max_failures: int = Field(3, ge=-1)
    """Restarts from the last checkpoint after a lost worker; -1 is without limit."""

    @model_validator(mode="after")
    def _gpu(self) -> Self:
        if self.use_gpu and self.num_workers == 0:
            raise ValueError(
                "use_gpu: true needs num_workers of at least 1, got 0 (this process trains on the CPU)"
            )
        return self


class TrainingConfig(Config):
    """The phases and everything around them."""

    split: SplitConfig = SplitConfig()
    start_from: str | None = None
    """A checkpoint (name in this workspace, path or URI) whose encoders are taken over: also one of another catalogue.
    What belongs to the items (id vectors, biases) starts anew."""
    phases: tuple[PhaseConfig, ...] = (PhaseConfig(),)
    activation_cache_gb: float = Field(4.0, ge=0)
    """While the lower blocks of the backbone are frozen, what they make of each picture is computed once, kept in the
    workspace, and read instead of pixels, if it is no larger than this. 0 is off."""
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
