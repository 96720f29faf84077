"""What population-based training may change in a trial while it trains."""

from typing import Any

from visrec.config import Parameter, TuneJob
from visrec.errors import ConfigError
from visrec.tune.space import Point, Space

_CHANGING = ("learning_rate", "backbone_learning_rate", "weight_decay", "gradient_clip", "loss", "adversary")
"""Settings of a phase that mean the same to a model and optimizer made under other values."""


def mutable_keys(job: TuneJob) -> list[str]:
    """Keys that population-based training changes while a trial trains.

    Raises:
        ConfigError: There are none, or one that was asked for cannot change.
    """
    space, wanted = job.tune.space, job.tune.scheduler.mutate
    keys = list(wanted) or [key for key in space if _can_change(key, space[key])]
    fixed = [key for key in keys if not _can_change(key, space[key])]
    if fixed or not keys:
        raise ConfigError(
            "tune.scheduler.mutate: expected keys training.phases.N.("
            + "|".join(_CHANGING)
            + f") without a condition, got {fixed[0] if fixed else 'none in the space'}"
        )
    return keys


def within(space: Space, point: Point) -> Point:
    """The point with numbers that left their range (multiplied on the way) set to its bounds."""
    return {key: _clip(space[key], value) if key in space else value for key, value in point.items()}


def _clip(parameter: Parameter, value: Any) -> Any:
    if parameter.choice is not None or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    lower, upper = getattr(parameter, parameter.kind)[:2]
    return min(max(value, lower), upper - 1 if parameter.kind == "randint" else upper)


def _can_change(key: str, parameter: Parameter) -> bool:
    steps = key.split(".")
    is_number = parameter.choice is None or all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in parameter.choice
    )
    in_phase = len(steps) > 3 and steps[:2] == ["training", "phases"] and steps[3] in _CHANGING
    return in_phase and is_number and not parameter.when
