"""Search spaces and trials as Optuna's distributions and studies."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from visrec.config import ParameterConfig, TuneWorkloadConfig
from visrec.tune.records import TrialRecord
from visrec.tune.space import Point, Space, is_active, ordered_keys

STUDY = "visrec"


def suggester(space: Space) -> Callable[[Any], Point]:
    """Define-by-run function of a space for Optuna, which returns the point of an Optuna trial."""

    def suggest(trial: Any) -> Point:
        point: Point = {}
        for key in ordered_keys(space):
            if is_active(space[key], point):
                point[key] = _suggest(trial, key, space[key])
        return point

    return suggest


def _suggest(trial: Any, key: str, parameter: ParameterConfig) -> Any:
    found = distribution(parameter)
    if isinstance(found, CategoricalDistribution):
        label = trial.suggest_categorical(key, found.choices)
        return (parameter.choice or ())[found.choices.index(label)]
    if isinstance(found, IntDistribution):
        return trial.suggest_int(key, found.low, found.high)
    return trial.suggest_float(key, found.low, found.high, step=found.step, log=found.log)


def distribution(parameter: ParameterConfig) -> Any:
    """Optuna's distribution of a parameter."""
    if parameter.choice is not None:
        return CategoricalDistribution([_label(value) for value in parameter.choice])
    if parameter.randint is not None:
        lower, upper = parameter.randint
        return IntDistribution(lower, upper - 1)
    if parameter.quniform is not None:
        low, high, step = parameter.quniform
        return FloatDistribution(low, high, step=step)
    if parameter.loguniform is not None:
        return FloatDistribution(*parameter.loguniform, log=True)
    assert parameter.uniform is not None
    return FloatDistribution(*parameter.uniform)


def as_parameters(space: Space, point: Point) -> dict[str, Any]:
    """A point as Optuna's parameters: a choice that is not a scalar stands as its JSON."""
    return {
        key: _label(value) if space[key].choice is not None else value
        for key, value in point.items()
        if key in space
    }


def is_inside(space: Space, point: Point) -> bool:
    """Whether every value of a point could have been drawn."""
    return all(
        _contains(distribution(space[key]), value) for key, value in as_parameters(space, point).items()
    )


def optuna_study(job: TuneWorkloadConfig, records: Sequence[TrialRecord], storage: Any = None) -> Any:
    """An in-memory Optuna study that holds these trials.

    Failed trials count as failed; points outside of the space (that of the unchanged config may be) are left out.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    directions = ["maximize" if o.direction == "max" else "minimize" for o in job.tune.objectives]
    study = optuna.create_study(storage=storage, study_name=STUDY, directions=directions)
    for record in records:
        if not is_inside(job.tune.space, record.point):
            continue
        parameters = as_parameters(job.tune.space, record.point)
        usable = record.objectives is not None and record.status != "failed"
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.COMPLETE if usable else optuna.trial.TrialState.FAIL,
                values=record.objectives if usable else None,
                params=parameters,
                distributions={key: distribution(job.tune.space[key]) for key in parameters},
            )
        )
    return study


def _contains(found: Any, value: Any) -> bool:
    if isinstance(found, CategoricalDistribution):
        return value in found.choices
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    steps = (value - found.low) / found.step if found.step else 0.0
    return bool(found.low <= value <= found.high and math.isclose(steps, round(steps), abs_tol=1e-9))


def _label(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else json.dumps(value)
