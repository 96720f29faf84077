"""Settings of a hyperparameter study: what is varied, who chooses the trials, who stops them, what counts as better."""

import math
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from visrec.config.base import Config
from visrec.config.training import ValidationMetric

CostMetric = Literal["encode_ms", "query_ms", "num_parameters", "epoch_seconds"]
COST_METRICS: tuple[CostMetric, ...] = ("encode_ms", "query_ms", "num_parameters", "epoch_seconds")
DISTRIBUTIONS = ("uniform", "loguniform", "quniform", "randint", "choice")


class ParameterConfig(Config):
    """How one config key is varied: exactly one of the distributions, by Ray Tune's own names."""

    uniform: tuple[float, float] | None = None
    """`[lower, upper]`."""
    loguniform: tuple[float, float] | None = None
    """`[lower, upper]`, uniform in the logarithm."""
    quniform: tuple[float, float, float] | None = None
    """`[lower, upper, step]`: uniform, rounded to multiples of the step; both bounds are such multiples."""
    randint: tuple[int, int] | None = None
    """`[lower, upper]`, whole numbers, the upper one left out."""
    choice: tuple[Any, ...] | None = None
    """A list of values, each anything that the key may hold."""
    when: dict[str, Any] = {}
    """Vary the key only where other keys have these values: `{model.user.kind: transformer}`. A list means any of
    them."""

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
    """Who chooses the trials' settings."""

    kind: Literal["random", "grid", "optuna"] = "random"
    """`random`: independent draws. `grid`: every combination of the `choice` lists. `optuna`: TPE (Bergstra et al.
    2011), with several objectives too."""
    startup_trials: int = Field(8, ge=1, le=10_000)
    """Random trials before TPE starts to model; only for `optuna`."""


class SchedulerConfig(Config):
    """Who stops trials early, or changes them on the way. Times are epochs, counted over all phases."""

    kind: Literal["none", "asha", "hyperband", "median", "pbt"] = "asha"
    """`asha`: asynchronous successive halving (Li et al. 2020). `hyperband`: its synchronous brackets (Li et al. 2018).
    `median`: stop what is below the median of the others. `pbt`: population-based training (Jaderberg et al. 2017): the
    worst copy the best and change some settings while they train."""
    grace_epochs: int = Field(1, ge=1, le=10_000)
    """No trial is stopped before; the first rung of `asha`."""
    reduction_factor: float = Field(3.0, gt=1, le=100)
    """`asha` and `hyperband` keep one of so many trials at each rung."""
    perturbation_epochs: int = Field(1, ge=1, le=10_000)
    """`pbt`: epochs between two looks at the population."""
    quantile: float = Field(0.25, gt=0, le=0.5)
    """`pbt`: share of the population that is replaced, and that is copied."""
    resample_probability: float = Field(0.25, ge=0, le=1)
    """`pbt`: chance to draw a setting anew instead of multiplying it by 0.8 or 1.2."""
    mutate: tuple[str, ...] = ()
    """`pbt`: the keys of the space that change while training; empty takes all that can."""


class ObjectiveConfig(Config):
    """What counts as better."""

    metric: Literal[ValidationMetric, CostMetric] = "ndcg@10"
    """A validation metric (the best epoch's), or what a model costs: `encode_ms` (one picture to its vector),
    `query_ms` (one history to the scores of the catalogue), `num_parameters`, `epoch_seconds`."""
    mode: Literal["max", "min"] | None = None
    """null: `max` for quality, `min` for cost."""

    @property
    def direction(self) -> Literal["max", "min"]:
        """`mode`, or what suits the metric."""
        return self.mode or ("min" if self.metric in COST_METRICS else "max")


class TuneConfig(Config):
    """The study."""

    space: dict[str, ParameterConfig] = {}
    """Config keys of `visrec train` and how each is varied:
    `{training.phases.0.learning_rate: {loguniform: [1e-4, 1e-2]}}`."""
    objectives: tuple[ObjectiveConfig, ...] = (ObjectiveConfig(),)
    """The first steers the scheduler and names the best trial; with several, the report shows the Pareto front."""
    search: SearchConfig = SearchConfig()
    scheduler: SchedulerConfig = SchedulerConfig()
    num_trials: int = Field(16, ge=1, le=100_000)
    """Trials of the study (`pbt`: size of the population; `grid`: at most so many of the combinations)."""
    minutes: float | None = Field(None, gt=0)
    """Budget of time for the whole study, restarts included; null has no limit."""
    patience_trials: int = Field(0, ge=0)
    """End the study after so many ended trials without a better best; 0 is off."""
    try_defaults: bool = True
    """The first trial takes the config as it is: what the others have to beat."""
    run_in: Literal["process", "workers"] = "process"
    """`process`: the loop runs within the trial's own process, which starts in about a second. `workers`: each trial is
    a run of Ray Train on `training.scaling`'s workers."""
    cpus_per_trial: float = Field(1.0, gt=0)
    """CPUs of a trial in a process; its number of threads, too."""
    gpus_per_trial: float = Field(0.0, ge=0)
    """GPUs of a trial in a process; fractions let trials share one."""
    max_concurrent_trials: int | None = Field(None, ge=1)
    """null: as many as the CPUs hold; on a local cluster the real cores count."""
    max_failures: int = Field(0, ge=0, le=100)
    """Restarts of a trial from its last checkpoint after a crash."""
    candidate_release: bool = False
    """Evaluate the best checkpoint on the test part and make a release of it, which does not go live by itself."""
    tracking: bool = True
    """Record the study in MLflow where the extra `tracking` is installed."""
    resume: bool = False
    """Go on with an unfinished study of this config; the command's `--resume`."""

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
