"""Points applied to a training config: the config of a trial, the default point, checks of a space, mutable keys."""

import copy
import operator
from collections.abc import Iterator
from typing import Any

from visrec.config import (
    ParameterConfig,
    PhaseConfig,
    TrainWorkloadConfig,
    TuneWorkloadConfig,
    assign,
    parse_config,
)
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.training.blend import members_of
from visrec.tune.space import Point, Space, any_of, is_active, ordered_keys

_CHANGING = ("learning_rate", "backbone_learning_rate", "weight_decay", "gradient_clip", "loss", "adversary")
"""Settings of a phase that may change while a model trains: its weights and optimizer state stay valid."""
_MISSING = object()
_SAME = (
    *("workspace", "snapshot", "ray", "training.split", "training.validation_users"),
    *("training.scaling", "training.torch_threads", "training.checkpoint_every_steps"),
)
"""Settings that trials must share to be comparable, and settings of where and how they run."""


def apply_point(job: TrainWorkloadConfig, point: Point) -> TrainWorkloadConfig:
    """The training config with the values of a point set in it.

    Raises:
        ConfigError: A key or value does not fit the config.

    Example:
        >>> apply_point(TrainWorkloadConfig(), {"training.phases.0.epochs": 3}).training.phases[0].epochs
        3
    """
    # Defaults are left out: where a section can have one of two shapes, keys of one are unknown to the other.
    values = job.model_dump(mode="json", include=set(TrainWorkloadConfig.model_fields), exclude_defaults=True)
    for key, value in point.items():
        assign(values, key, copy.deepcopy(value))
    return parse_config(TrainWorkloadConfig, values)


def with_trial_recipe(job: TuneWorkloadConfig, snapshot: Snapshot) -> TuneWorkloadConfig:
    """The study's config with what `training.recipe: auto` stands for in a study.

    Where the space has settings of members, that is the blend that `visrec train` would make, with its members written
    out; else one two-tower model with the default phase.
    """
    training = job.training
    if training.recipe != "auto":
        return job
    if any(key.startswith("training.members.") for key in job.tune.space):
        training = training.replace(recipe="members", members=members_of(job, snapshot))
    else:
        training = training.replace(recipe="phases", phases=(PhaseConfig(),))
    return job.replace(training=training)


def default_point(job: TuneWorkloadConfig) -> Point:
    """The values that the unchanged config has for the keys of the space."""
    values = job.model_dump(mode="json")
    point: Point = {}
    for key in ordered_keys(job.tune.space):
        found = _value_at(values, key.split("."))
        if is_active(job.tune.space[key], point) and found is not _MISSING:
            point[key] = found
    return point


def check_space(job: TuneWorkloadConfig) -> None:
    """Check that every key exists and accepts every value that can be drawn for it.

    Raises:
        ConfigError: One line that names the key.
    """
    space = job.tune.space
    if not space:
        raise ConfigError("tune.space: expected at least one key of the training config, got none")
    for key, point in extreme_points(space):
        try:
            found = apply_point(job, point)
        except ConfigError as error:
            reason = str(error).removeprefix(f"{key}: ")
            raise ConfigError(f"tune.space.{key}: {reason}") from None
        if any(part(found) != part(job) for part in map(operator.attrgetter, _SAME)):
            raise ConfigError(
                f"tune.space.{key}: expected a key in which trials may differ, got {point[key]!r}"
            )


def extreme_points(space: Space) -> Iterator[tuple[str, Point]]:
    """For each key its choices, or the ends of its range and a value between: (key, a point that may be drawn)."""
    for key in ordered_keys(space):
        for value in _extremes(space[key]):
            yield key, {**_example(space, space[key]), key: value}


def mutable_keys(job: TuneWorkloadConfig) -> list[str]:
    """Keys that population-based training changes while trials train: `scheduler.mutate`, else all that can change.

    Raises:
        ConfigError: There are none, or a key of `scheduler.mutate` cannot change.
    """
    space, mutate = job.tune.space, job.tune.scheduler.mutate
    keys = list(mutate) or [key for key in space if _can_change(key, space[key])]
    fixed = [key for key in keys if not _can_change(key, space[key])]
    if fixed or not keys:
        raise ConfigError(
            "tune.scheduler.mutate: expected keys training.phases.N.("
            + "|".join(_CHANGING)
            + f") without a condition, got {fixed[0] if fixed else 'none in the space'}"
        )
    return keys


def clip_to_space(space: Space, point: Point) -> Point:
    """The point with numbers clipped to their ranges, which a population leaves when it multiplies them."""
    return {key: _clip(space[key], value) if key in space else value for key, value in point.items()}


def _value_at(values: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(values, list) and step.isdigit() and int(step) < len(values):
            values = values[int(step)]
        elif isinstance(values, dict) and step in values:
            values = values[step]
        else:
            return _MISSING
    return values


def _extremes(parameter: ParameterConfig) -> tuple[Any, ...]:
    """Both ends of a range, and a value between them: a key of whole numbers refuses it."""
    if parameter.choice is not None:
        return parameter.choice
    lower, upper = getattr(parameter, parameter.kind)[:2]
    if parameter.randint is not None:
        return (lower, upper - 1)
    if parameter.quniform is not None:
        step = parameter.quniform[2]
        return (lower, upper, round(lower / step) * step + step)
    return (lower, upper, lower + 0.382 * (upper - lower))


def _example(space: Space, parameter: ParameterConfig) -> Point:
    """A point at which the parameter is active: its conditions hold, and every other key has its first value."""
    conditions = dict(parameter.when)
    waiting = list(conditions)
    while waiting:
        for key, value in space[waiting.pop()].when.items():
            if key not in conditions:
                conditions[key] = value
                waiting.append(key)
    point: Point = {}
    for key in ordered_keys(space):
        if is_active(space[key], point):
            point[key] = any_of(conditions[key])[0] if key in conditions else _extremes(space[key])[0]
    return point


def _can_change(key: str, parameter: ParameterConfig) -> bool:
    steps = key.split(".")
    is_number = parameter.choice is None or all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in parameter.choice
    )
    in_phase = len(steps) > 3 and steps[:2] == ["training", "phases"] and steps[3] in _CHANGING
    return in_phase and is_number and not parameter.when


def _clip(parameter: ParameterConfig, value: Any) -> Any:
    if parameter.choice is not None or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    lower, upper = getattr(parameter, parameter.kind)[:2]
    return min(max(value, lower), upper - 1 if parameter.kind == "randint" else upper)
