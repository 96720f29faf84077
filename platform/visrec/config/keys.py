"""Config classes by key: the classes that a field may hold, and the present names of keys that were renamed.

A key is written as in YAML and for `--set`: steps joined by dots, list places as numbers.
"""

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import Tag

from visrec.config.base import Config, warn_of_renamed_key


def configs_in(annotation: Any) -> dict[str, type[Config]]:
    """The config classes that a field of this type may hold, alone or in a list, by the tags of its union.

    The tag is what pydantic puts into the location of an error: a `Tag`, the value of the discriminator `kind`, or,
    where there is no union, the name of the class.
    """
    if isinstance(annotation, type) and issubclass(annotation, Config):
        kind = annotation.model_fields.get("kind")
        values = get_args(kind.annotation) if kind is not None and kind.is_required() else ()
        return {str(values[0]) if values else annotation.__name__: annotation}
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        tag = next((rule.tag for rule in metadata if isinstance(rule, Tag)), None)
        return {tag or name: config for name, config in configs_in(inner).items()}
    return {tag: config for inner in get_args(annotation) for tag, config in configs_in(inner).items()}


def current_key(kind: type[Config], key: str) -> str:
    """A key of a config by its present name, with a warning where it was given by a former one.

    Unknown steps are left as they are: validation reports them with the nearest valid key.

    Example:
        >>> class Loss(Config):
        ...     renamed_keys = {"mask": "masking"}
        ...     masking: bool = True
        >>> class Phase(Config):
        ...     losses: tuple[Loss, ...] = ()
        >>> current_key(Phase, "losses.0.masking")
        'losses.0.masking'
    """
    classes = [kind]
    steps: list[str] = []
    for step in key.split("."):
        name = _current_step(classes, step)
        if name != step:
            warn_of_renamed_key(".".join([*steps, step]), name)
        steps.append(name)
        classes = classes_below(classes, name)
    return ".".join(steps)


def with_current_keys(kind: type[Config], values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of a config with every key by its present name, with a warning for each former one.

    A key that is there by both names is left for validation to refuse.
    """
    renamed: dict[str, Any] = _rename([kind], values, "")
    return renamed


def _rename(classes: list[type[Config]], values: Any, place: str) -> Any:
    if isinstance(values, list | tuple):
        return [_rename(classes, value, f"{place}{index}.") for index, value in enumerate(values)]
    if not isinstance(values, Mapping) or not classes:
        return values
    renamed: dict[Any, Any] = {}
    for key, value in values.items():
        name = _current_step(classes, key)
        if name != key and name in values:
            name = key
        elif name != key:
            warn_of_renamed_key(f"{place}{key}", name)
        renamed[name] = _rename(classes_below(classes, name), value, f"{place}{key}.")
    return renamed


def _current_step(classes: list[type[Config]], step: str) -> str:
    return next((c.renamed_keys[step] for c in classes if step in c.renamed_keys), step)


def classes_below(classes: list[type[Config]], step: str) -> list[type[Config]]:
    """The classes that a step may lead to; a list place, or the key of a mapping, leads to the classes of the list."""
    fields = [c.model_fields[step] for c in classes if step in c.model_fields]
    if not fields:
        return classes
    return [config for field in fields for config in configs_in(field.annotation).values()]
