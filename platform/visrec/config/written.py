"""YAML whose plain scalars keep the text that a person wrote, for settings that take text.

YAML reads `2000-01-01` as a date, `0123` as the number 83 and `no` as false. A date or time stays text for every
setting. A number or a yes/no stays text where the setting takes text and nothing of the value's type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import yaml

from visrec.config.base import Config
from visrec.config.keys import classes_below, configs_in

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_TYPED = ("bool", "int", "float")


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenScalar:
    """A number or a yes/no of a YAML text.

    Attributes:
        value: Its value by the rules of YAML.
        text: Its text as it was written.
    """

    value: bool | int | float
    text: str


class _Loader(yaml.SafeLoader):
    """Safe loader without dates and times, with keys as text, and with a `WrittenScalar` for each typed scalar."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_written(text: str) -> Any:
    """Values of a YAML text: numbers and yes/no are `WrittenScalar`, dates and times are text, keys are text.

    Raises:
        yaml.YAMLError: The text is no YAML.

    Example:
        >>> load_written("{min_time: 2000-01-01, seed: 3}")
        {'min_time': '2000-01-01', 'seed': WrittenScalar(value=3, text='3')}
    """
    return yaml.load(text, _Loader)


def plain_values(kind: type[Config], values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of a config: each `WrittenScalar` by its value, or by its text where its setting takes text only.

    Example:
        >>> class Shop(Config):
        ...     name: str = ""
        ...     size: int = 0
        >>> plain_values(Shop, load_written("{name: 0123, size: 12}"))
        {'name': '0123', 'size': 12}
    """
    return {key: _plain(value, _annotations([kind], key), [kind], key) for key, value in values.items()}


def written_at(values: Any, steps: list[str]) -> WrittenScalar | None:
    """The scalar at a key of nested values, if there is one that was read from YAML."""
    for step in steps:
        if isinstance(values, Mapping):
            values = values.get(step)
        elif isinstance(values, list | tuple) and step.isdigit() and int(step) < len(values):
            values = values[int(step)]
        else:
            return None
    return values if isinstance(values, WrittenScalar) else None


def _plain(value: Any, annotations: list[Any], classes: list[type[Config]], step: str) -> Any:
    if isinstance(value, WrittenScalar):
        leaves = {leaf for annotation in annotations for leaf in _leaves(annotation)}
        takers = {Any, bool} if isinstance(value.value, bool) else {Any, float, type(value.value)}
        return value.text if str in leaves and not leaves & takers else value.value
    if isinstance(value, list | tuple):
        return [_plain(element, annotations, classes, step) for element in value]
    if not isinstance(value, Mapping):
        return value
    below = classes_below(classes, step)
    return {
        key: _plain(element, _annotations(below, key) or annotations, below, key)
        for key, element in value.items()
    }


def _annotations(classes: list[type[Config]], name: str) -> list[Any]:
    return [c.model_fields[name].annotation for c in classes if name in c.model_fields]


def _leaves(annotation: Any) -> set[Any]:
    """The plain types that a value, or a value in a list or mapping, may be of; keys of mappings are no values."""
    if configs_in(annotation) and isinstance(annotation, type):
        return set()
    if get_origin(annotation) is Literal:
        return {type(choice) for choice in get_args(annotation)}
    if get_origin(annotation) is dict:
        return _leaves(get_args(annotation)[1])
    inner = get_args(annotation)
    return {leaf for part in inner for leaf in _leaves(part)} if inner else {annotation}


def _construct_written(loader: _Loader, node: Any) -> WrittenScalar:
    value = yaml.SafeLoader.yaml_constructors[node.tag](loader, node)
    return WrittenScalar(value=value, text=node.value)


def _construct_mapping(loader: _Loader, node: Any) -> Iterator[Any]:
    values: dict[str, Any] = {}
    yield values
    loader.flatten_mapping(node)
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "expected a name as a key, got a list or mapping", key.start_mark
            )
        values[key.value] = loader.construct_object(value, deep=True)


for _type in _TYPED:
    _Loader.add_constructor(f"tag:yaml.org,2002:{_type}", _construct_written)
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
