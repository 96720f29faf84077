"""Search space: points are drawn from it at random or enumerated as a grid.

A *point* maps config keys to values; a key whose condition does not hold is left out.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from ray import tune
from ray.tune.search.sample import Domain

from visrec.config import ParameterConfig
from visrec.errors import ConfigError

Point = dict[str, Any]
Space = Mapping[str, ParameterConfig]


def domain(parameter: ParameterConfig) -> Domain:
    """Ray Tune's distribution of a parameter.

    Example:
        >>> domain(ParameterConfig(randint=(1, 5))).sample(random_state=0) in range(1, 5)
        True
    """
    kind = parameter.kind
    if kind == "choice":
        return tune.choice(list(parameter.choice or ()))
    return {
        "uniform": tune.uniform,
        "loguniform": tune.loguniform,
        "quniform": tune.quniform,
        "randint": tune.randint,
    }[kind](*getattr(parameter, kind))


def ordered_keys(space: Space) -> list[str]:
    """The keys of a space, each after those that its condition names.

    Raises:
        ConfigError: A condition names an unknown key, a value that its key never takes, or conditions go in a circle.
    """
    ordered: list[str] = []
    waiting = list(space)
    for key in waiting:
        _check_conditions(space, key)
    while waiting:
        ready = [key for key in waiting if not set(space[key].when) & set(waiting)]
        if not ready:
            raise ConfigError(f"tune.space: the conditions of {' and '.join(waiting)} go in a circle")
        # A section given as a whole comes before single keys in it, which would be lost under it.
        ordered += sorted(ready, key=lambda key: key.count("."))
        waiting = [key for key in waiting if key not in ready]
    return ordered


def _check_conditions(space: Space, key: str) -> None:
    for other, condition in space[key].when.items():
        if other not in space:
            raise ConfigError(f"tune.space.{key}.when: expected a key of the space, got {other}")
        choices = space[other].choice
        if choices is None:
            raise ConfigError(
                f"tune.space.{key}.when: expected a key with choice, got {other}, which has a range"
            )
        missing = [value for value in any_of(condition) if value not in choices]
        if missing:
            raise ConfigError(
                f"tune.space.{key}.when.{other}: expected one of {list(choices)}, got {missing[0]!r}"
            )


def is_active(parameter: ParameterConfig, point: Point) -> bool:
    """Whether a parameter's condition holds at a point, in which the keys that it names are drawn already.

    Example:
        >>> is_active(ParameterConfig(choice=(1,), when={"a": ["x", "y"]}), {"a": "y"})
        True
    """
    return all(key in point and point[key] in any_of(condition) for key, condition in parameter.when.items())


def draw(space: Space, generator: np.random.Generator) -> Point:
    """One random point."""
    point: Point = {}
    for key in ordered_keys(space):
        if is_active(space[key], point):
            point[key] = _plain(domain(space[key]).sample(random_state=generator))
    return point


def draw_distinct(space: Space, count: int, seed: int, known: list[Point]) -> list[Point]:
    """Distinct random points, none of them in `known`; fewer than `count` where a small space has no more."""
    generator = np.random.default_rng((seed, 3))
    seen = {_name(point) for point in known}
    points: list[Point] = []
    for _ in range(100 * count):
        if len(points) == count:
            break
        point = draw(space, generator)
        if _name(point) not in seen:
            seen.add(_name(point))
            points.append(point)
    return points


def grid(space: Space) -> Iterator[Point]:
    """Every combination of the choices that the conditions allow, each once."""
    keys = ordered_keys(space)
    seen = set()
    for values in itertools.product(*(space[key].choice or () for key in keys)):
        point: Point = {}
        for key, value in zip(keys, values, strict=True):
            if is_active(space[key], point):
                point[key] = value
        if _name(point) not in seen:
            seen.add(_name(point))
            yield point


def any_of(condition: Any) -> list[Any]:
    """The values that satisfy a condition, which is one value or a list of them."""
    return list(condition) if isinstance(condition, list | tuple) else [condition]


def _plain(value: Any) -> Any:
    """NumPy's scalars as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _name(point: Point) -> str:
    return json.dumps(point, sort_keys=True)
