"""Types of settings that are paths, and how relative ones become absolute wherever a config holds them."""

import os
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from visrec.config.base import Config, ConfigT


@dataclass(frozen=True, kw_only=True, slots=True)
class PathMarker:
    """Marks the type of a setting that is a path.

    Attributes:
        or_name: The setting may also be a plain name: text without a slash that is no existing file.
    """

    or_name: bool = False


PathOrUri = Annotated[str, PathMarker()]
"""A path, relative to the current folder or absolute, or a URI of any filesystem that pyarrow knows."""

NameOrPath = Annotated[str, PathMarker(or_name=True)]
"""The same, or a name with a meaning of its own, such as `pretrained`."""


def with_absolute_paths(config: ConfigT) -> ConfigT:
    """The same config with relative paths resolved from the current folder; URIs and names are left alone.

    A job on a cluster runs in another folder than the command that submits it.

    Example:
        >>> class Input(Config):
        ...     path: PathOrUri | None = None
        >>> with_absolute_paths(Input(path="/tmp/../shop")).path
        '/shop'
        >>> with_absolute_paths(Input(path="s3://bucket/shop")).path
        's3://bucket/shop'
    """
    changed = {}
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        resolved = _resolve(
            value, Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        )
        if resolved != value:
            changed[name] = resolved
    return config.replace(**changed) if changed else config


def _resolve(value: Any, annotation: Any) -> Any:
    """A value, or the values in a list or mapping, with relative paths resolved where its type is a path."""
    if isinstance(value, Config):
        return with_absolute_paths(value)
    if isinstance(value, tuple):
        return tuple(_resolve(element, annotation) for element in value)
    if isinstance(value, dict):
        return {key: _resolve(element, _value_type(annotation)) for key, element in value.items()}
    marker = _marker(annotation)
    if marker is None or not isinstance(value, str):
        return value
    if "://" in value or (marker.or_name and "/" not in value and not os.path.exists(value)):
        return value
    return os.path.abspath(os.path.expanduser(value))


def _marker(annotation: Any) -> PathMarker | None:
    """The marker of a type, or of a type inside it: `PathOrUri | None`, `tuple[PathOrUri, ...]`."""
    if isinstance(annotation, PathMarker):
        return annotation
    inner = (*get_args(annotation), *getattr(annotation, "__metadata__", ()))
    return next((found for found in map(_marker, inner) if found is not None), None)


def _value_type(annotation: Any) -> Any:
    """The type of a mapping's values; keys are names, never paths."""
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    return next((found for found in map(_value_type, get_args(annotation)) if found is not None), None)
