"""Settings of a hyperparameter study: search space, search algorithm, scheduler, objectives."""

import math
from collections.abc import Callable
from typing import Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from visrec.config.base import Config
from visrec.config.training import ValidationMetric

CostMetric = Literal["encode_ms", "query_ms", "num_parameters", "epoch_seconds"]
COST_METRICS: tuple[CostMetric, ...] = get_args(CostMetric)
DISTRIBUTIONS = ("uniform", "loguniform", "quniform", "randint", "choice")


class ParameterConfig(Config):
    """Search space of one config key: exactly one distribution, by the names of Ray Tune's own."""

    uniform: tuple[float, float] | None = None
    """Uniform: `[lower, upper]`."""
    loguniform: tuple[float, float] | None = None
    """Uniform in the logarithm: `[lower, upper]`."""
    quniform: tuple[float, float, float] | None = None
    """Uniform, rounded to multiples of a step: `[lower, upper, step]`; both bounds are multiples of the step."""
    randint: tuple[int, int] | None = None
    """Uniform over integers: `[lower, upper]`, without the upper bound."""
    choice: tuple[Any, ...] | None = None
    """A list of values, each of any type that the key takes."""
    when: dict[str, Any] = {}
    """Condition: vary the key only where other keys of the space have these values, such as `{model.user.kind:
    transformer}`. A list means any of its values."""

    @property
    def kind(self) -> str:
        """Name of the distribution."""
        return next(name for name in DISTRIBUTIONS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in DISTRIBUTIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected exactly one of {', '.join(DISTRIBUTIONS)}, got {' and '.join(given) or 'none'}"
            )
        if self.choice is not None:
            if not self.choice:
                raise ValueError("expected at least one value in choice, got none")
            return self
        lower, upper = getattr(self, given[0])[:2]
        if not lower < upper:
            raise ValueError(f"expected a lower bound below the upper one, got {lower:g} and {upper:g}")
        if given[0] == "loguniform" and lower <= 0:
            raise ValueError(f"expected a lower bound above 0 for loguniform, got {lower:g}")
        if self.quniform is not None:
            self._check_step(*self.quniform)
        return self

    def _check_step(self, lower: float, upper: float, step: float) -> None:
        if not 0 < step <= upper - lower:
            raise ValueError(f"expected a step above 0 and within the bounds, got {step:g}")
        for bound in (lower, upper):
            if not math.isclose(bound / step, round(bound / step), abs_tol=1e-9):
                raise ValueError(f"expected bounds that are multiples of the step {step:g}, got {bound:g}")


class SearchConfig(Config):
    """Search algorithm, which chooses the settings of the trials."""

    kind: Literal["random", "grid", "optuna"] = "random"
    """`random`: independent draws. `grid`: every combination of the `choice` lists. `optuna`: Optuna's TPE (Bergstra et
    al. 2011), also for several objectives."""
    startup_trials: int = Field(8, ge=1, le=10_000)
    """`optuna`: random trials before the first suggestion of TPE."""


class SchedulerConfig(Config):
    """Scheduler, which stops trials early or changes their settings while they train. Epochs count over all phases."""

    kind: Literal["none", "asha", "hyperband", "median", "pbt"] = "asha"
    """`none`: every trial runs to its end. `asha`: asynchronous successive halving (Li et al. 2020). `hyperband`:
    synchronous brackets (Li et al. 2018). `median`: stop trials below the median of the others. `pbt`:
    population-based training (Jaderberg et al. 2017): the worst trials copy the best ones and change some settings
    while they train."""
    grace_epochs: int = Field(1, ge=1, le=10_000)
    """Epochs before a trial may be stopped; the first rung of `asha`."""
    reduction_factor: float = Field(3.0, gt=1, le=100)
    """`asha`, `hyperband`: one of this number of trials goes on at each rung."""
    perturbation_epochs: int = Field(1, ge=1, le=10_000)
    """`pbt`: epochs between two comparisons of the population."""
    quantile: float = Field(0.25, gt=0, le=0.5)
    """`pbt`: share of the worst trials, which are replaced, and of the best ones, which are copied."""
    resample_probability: float = Field(0.25, ge=0, le=1)
    """`pbt`: probability that a setting is drawn anew instead of multiplied by 0.8 or 1.2."""
    mutate: tuple[str, ...] = ()
    """`pbt`: keys of the space that may change while a trial trains; empty takes all for which that is possible."""


class ObjectiveConfig(Config):
    """One objective of the study."""

    metric: Literal[ValidationMetric, CostMetric] = "ndcg@10"
    """A validation metric, of the trial's best epoch, or a cost of the model: `encode_ms` (encode one picture),
    `query_ms` (encode one history and score the whole catalogue), `num_parameters`, `epoch_seconds`."""
    mode: Literal["max", "min"] | None = None
    """Direction; null takes `max` for validation metrics and `min` for costs."""

    @property
    def direction(self) -> Literal["max", "min"]:
        """`mode`, or by default the direction in which the metric improves."""
        return self.mode or ("min" if self.metric in COST_METRICS else "max")


class TuneConfig(Config):
    """A hyperparameter study."""

    space: dict[str, ParameterConfig] = {}
    """Search space: config keys of `visrec train` with a distribution each, such as
    `{training.phases.0.learning_rate: {loguniform: [1e-4, 1e-2]}}`."""
    objectives: tuple[ObjectiveConfig, ...] = (ObjectiveConfig(),)
    """Objectives. The first one drives the scheduler and decides which trial is the best; for several, the report
    shows the Pareto front."""
    search: SearchConfig = SearchConfig()
    scheduler: SchedulerConfig = SchedulerConfig()
    num_trials: int = Field(16, ge=1, le=100_000)
    """Number of trials (`pbt`: size of the population; `grid`: limit on the number of combinations)."""
    minutes: float | None = Field(None, gt=0)
    """Time budget of the whole study, restarts included; null sets no limit."""
    patience_trials: int = Field(0, ge=0)
    """Early stopping of the study: end it after this number of finished trials without a new best one; 0 is off."""
    try_defaults: bool = True
    """Use the config's own settings in the first trial, as the baseline of the study."""
    run_in: Literal["process", "workers"] = "process"
    """`process`: a trial trains in one process, which starts in about a second. `workers`: each trial is a run of Ray
    Train on the workers of `training.scaling`."""
    cpus_per_trial: float = Field(1.0, gt=0)
    """`process`: CPUs of a trial, and its number of threads."""
    gpus_per_trial: float = Field(0.0, ge=0)
    """`process`: GPUs of a trial; trials with a fraction share a GPU."""
    max_concurrent_trials: int | None = Field(None, ge=1)
    """Most trials at a time; null takes as many as fit on the CPUs (on a local cluster, the physical cores)."""
    max_failures: int = Field(0, ge=0, le=100)
    """Restarts of a crashed trial from its last checkpoint."""
    candidate_release: bool = False
    """Evaluate the best checkpoint on the test part and build a release of it, without making it the current one."""
    tracking: bool = True
    """Record the study in MLflow where the extra `tracking` is installed."""
    resume: bool = False
    """Continue an unfinished study of the same config; the command's `--resume`."""

    @field_validator("objectives")
    @classmethod
    def _objectives(cls, objectives: tuple[ObjectiveConfig, ...]) -> tuple[ObjectiveConfig, ...]:
        names = [o.metric for o in objectives]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"expected one or more different metrics, got {', '.join(names) or 'none'}")
        return objectives

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.scheduler.kind == "pbt":
            if self.run_in == "workers":
                raise ValueError("scheduler.kind: pbt needs run_in: process, got workers")
            if self.search.kind == "optuna":
                raise ValueError(
                    "scheduler.kind: pbt draws its population at random, got search.kind: optuna"
                )
        if self.search.kind == "grid":
            ranges = [key for key, parameter in self.space.items() if parameter.choice is None]
            if ranges:
                raise ValueError(f"search.kind: grid needs choice for every key, got a range for {ranges[0]}")
        strangers = [key for key in self.scheduler.mutate if key not in self.space]
        if strangers:
            raise ValueError(f"scheduler.mutate: expected keys of the space, got {strangers[0]}")
        return self

    def with_keys(self, rename: Callable[[str], str]) -> Self:
        """The same study with every key of the space, of its conditions and of `mutate` passed through `rename`."""
        space = {
            rename(key): parameter.replace(when={rename(other): at for other, at in parameter.when.items()})
            for key, parameter in self.space.items()
        }
        mutate = tuple(rename(key) for key in self.scheduler.mutate)
        if len(space) < len(self.space):
            raise ValueError("space: expected each key once, got one by its former name as well")
        if space == self.space and mutate == self.scheduler.mutate:
            return self
        return self.replace(space=space, scheduler=self.scheduler.replace(mutate=mutate))
