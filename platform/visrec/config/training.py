"""Settings of training: split, phases, validation, and distribution over workers."""

from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from visrec.config.base import Config
from visrec.config.model import ModelConfig
from visrec.config.paths import NameOrPath
from visrec.config.phase import PhaseConfig

ValidationMetric = Literal["ndcg@10", "recall@10", "precision@10", "f1@10", "hr@10", "mrr", "auc"]
VALIDATION_METRICS: tuple[ValidationMetric, ...] = get_args(ValidationMetric)
"""Metrics that the validation after each epoch measures, in the order in which they are reported."""
Split = Literal["leave_one_out", "global_time", "cold_items"]


class SplitConfig(Config):
    """Split of the events into train, validation and test."""

    protocol: Split = "leave_one_out"
    """`leave_one_out`: the last positive of each user is test, the one before it validation. `global_time`: two
    points in time, the same for all users, divide the events. `cold_items`: the events of held-out items are test and
    validation."""
    fit_on: Literal["train", "train_and_validation"] = "train"
    """Parts to train on. `train_and_validation` is for the refit before a final test or a release; it has no validation
    metrics."""
    cold_seed: int = Field(0, ge=0)
    """Seed that draws the held-out items of `cold_items`."""
    cold_share: float = Field(0.1, gt=0, lt=0.5)
    """`cold_items`: share of the items held out for test, and the same share again for validation."""

    @property
    def is_set_valued(self) -> bool:
        """Whether a user can have several held-out items, which are ranked as a set; leave-one-out holds out one."""
        return self.protocol != "leave_one_out"


class ScalingConfig(Config):
    """Distribution of training, by the names of Ray Train's own options."""

    num_workers: int = Field(1, ge=0, le=10_000)
    """Data-parallel worker processes (DDP). 0 trains in the current process, without Ray Train."""
    use_gpu: bool = False
    """Give each worker one GPU."""
    resources_per_worker: dict[str, float] | None = None
    """Ray resources of each worker, such as `{CPU: 2}`; null takes Ray Train's default of one CPU, and one GPU with
    `use_gpu`."""
    max_failures: int = Field(3, ge=-1)
    """Restarts from the last checkpoint after a worker was lost; -1 sets no limit."""

    @model_validator(mode="after")
    def _gpu(self) -> Self:
        if self.use_gpu and self.num_workers == 0:
            raise ValueError(
                "use_gpu: true needs num_workers of at least 1, got 0 (this process trains on the CPU)"
            )
        return self


class MemberConfig(Config):
    """A member of a blend: a two-tower model that is trained on its own, and whose scores are added to the others'."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """Name of the member in logs and reports; each needs a different one."""
    model: ModelConfig = ModelConfig()
    phases: tuple[PhaseConfig, ...] = (PhaseConfig(),)
    """Phases of its training."""
    search: bool = False
    """Choose the settings of a closed form of kind `transitions` (half-lives, ridge, weight on co-occurrence,
    popularity damping) by validation before it is solved; those given are where the search starts."""

    @model_validator(mode="after")
    def _phases(self) -> Self:
        check_phase_names(self.phases)
        kind = self.phases[0].closed_form
        if self.search and (len(self.phases) > 1 or kind is None or kind.kind != "transitions"):
            raise ValueError("search: true needs one phase with a closed_form of kind transitions")
        return self


def check_phase_names(phases: tuple[PhaseConfig, ...]) -> None:
    """Check that there are phases, each with a name of its own.

    Raises:
        ValueError: There is none, or two have one name.
    """
    names = [p.name for p in phases]
    if not names:
        raise ValueError("at least one phase is needed")
    if len(set(names)) != len(names):
        raise ValueError(f"each phase needs a name of its own, got {', '.join(names)}")


class TrainingConfig(Config):
    """Training of the model."""

    recipe: Literal["auto", "members", "phases"] = "auto"
    """`auto`: a blend of members that visrec chooses by the data (closed form, attributes, pictures, ids), with weights
    that are chosen on the validation users; `model` says how pictures are read. `members`: a blend of your own
    `members`. `phases`: one two-tower model, `model`, trained by `phases`. Where `members` or `phases` are given, the
    recipe follows from them."""
    phases: tuple[PhaseConfig, ...] = ()
    """Phases of `recipe: phases`. They run in order; each starts from the weights at the end of the one before."""
    members: tuple[MemberConfig, ...] = ()
    """Members of `recipe: members`."""
    refit: Literal["closed_form", "all", "none"] = "closed_form"
    """Members of a blend that are fitted once more on train and validation events together, after all has been chosen
    by validation: those in closed form, which takes seconds; all; or none. The ranker is trained on the model before
    that."""
    budget_minutes: float | None = Field(None, gt=0)
    """Longest training of a blend, in minutes (`visrec train --budget 10m`): in the order of the members, one whose
    estimated time does not fit gets fewer epochs, or is left out. The first is always trained. How many epochs fit
    depends on the machine, so that two runs may differ. null sets no limit."""
    split: SplitConfig = SplitConfig()
    start_from: NameOrPath | None = None
    """Transfer: a checkpoint (name in this workspace, path or URI) whose encoders initialise the model, also one of
    another catalogue. Parameters of single items (id embeddings, biases) are initialised anew."""
    activation_cache_gb: float = Field(4.0, ge=0)
    """Largest cache of the activations of frozen backbone blocks, in GB. While the lower blocks are frozen, their
    output for each picture is computed once and read from the workspace afterwards. 0 turns the cache off."""
    scaling: ScalingConfig = ScalingConfig()
    selection_metric: ValidationMetric = "ndcg@10"
    """Validation metric that selects the best epoch."""
    validation_users: int = Field(2000, ge=1)
    """Most users of the validation after each epoch, sampled by the seed."""
    checkpoint_every_steps: int = Field(0, ge=0)
    """Also save a checkpoint every this number of steps within an epoch; 0 saves only at the end of each epoch."""
    torch_threads: int = Field(0, ge=0)
    """PyTorch threads of each worker; 0 takes the number of CPUs that Ray gives it, or, where `resources_per_worker` is
    null and the cluster is this machine alone, its share of the cores."""

    @model_validator(mode="before")
    @classmethod
    def _recipe_of_parts(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("recipe") is not None:
            return values
        given = [part for part in ("members", "phases") if values.get(part)]
        return {**values, "recipe": given[0]} if given else values

    @model_validator(mode="after")
    def _parts(self) -> Self:
        parts = {"phases": self.phases, "members": self.members}
        for name, values in parts.items():
            if values and self.recipe != name:
                raise ValueError(f"recipe: {self.recipe} takes no {name}, got {len(values)}")
        if self.recipe == "phases":
            check_phase_names(self.phases)
        if self.recipe == "members" and not self.members:
            raise ValueError("recipe: members needs one or more members")
        names = [member.name for member in self.members]
        if len(set(names)) != len(names):
            raise ValueError(f"each member needs a name of its own, got {', '.join(names)}")
        return self
