"""Configs from YAML files, `--set` overrides and plain mappings, with one-line errors that a person can act on."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from visrec.config.base import STORED, Config, ConfigT
from visrec.config.explain import explain
from visrec.config.keys import current_key, with_current_keys
from visrec.config.workloads import PipelineConfig, WorkloadConfig
from visrec.config.written import load_written, plain_values
from visrec.errors import ConfigError

WorkloadT = TypeVar("WorkloadT", bound=WorkloadConfig)


def load_config(
    kind: type[WorkloadT], path: str | Path | None = None, overrides: Sequence[str] = ()
) -> WorkloadT:
    """The config of one workload from a YAML file that may hold the sections of all.

    Every section is validated, also those that this workload does not read: a typo shows at the first command. Keys may
    go by former names, in the file and in the overrides; each is a `RenamedKeyWarning`.

    Args:
        kind: Config class of the workload.
        path: YAML file; None starts from the defaults. Relative paths in it are relative to the current folder.
        overrides: `key.path=value` pairs, the value in YAML; list places are numbers (`training.phases.0.epochs=3`).

    Raises:
        ConfigError: The file is missing or no YAML mapping, or a key, type or value is wrong.

    Example:
        >>> load_config(WorkloadConfig, overrides=["seed=3"]).seed
        3
    """
    values = with_current_keys(PipelineConfig, read_yaml(path)) if path is not None else {}
    for override in overrides:
        _apply(values, override)
    return parse_config(PipelineConfig, values).project(kind)


def parse_config(kind: type[ConfigT], values: Mapping[str, Any], *, stored: bool = False) -> ConfigT:
    """Validate a plain mapping.

    Args:
        kind: Config class.
        values: Its keys, nested; from YAML as `read_yaml` gives them.
        stored: The values were read from an artifact: former names of keys are read without a warning.

    Raises:
        ConfigError: One line that names the key, what was expected, what came, and the nearest valid key.
    """
    try:
        return kind.model_validate(plain_values(kind, values), context={STORED: stored})
    except ValidationError as error:
        raise ConfigError(explain(kind, error, values)) from None


def dump_yaml(config: Config) -> str:
    """The config as YAML that `load_config` reads."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def json_schema(kind: type[Config]) -> str:
    """The JSON schema of a config class, for editors."""
    return json.dumps(kind.model_json_schema(), indent=2)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The values of a YAML file, numbers and yes/no with their texts (`WrittenScalar`); an empty file has none.

    Raises:
        ConfigError: The file is missing, unreadable, or no YAML mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"config file not found: {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"config file {path} cannot be read: {error}") from None
    try:
        values = load_written(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}, column {place.column + 1}" if place else ""
        raise ConfigError(
            f"config file {path} is not valid YAML{where}: {getattr(error, 'problem', error)}"
        ) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"config file {path}: expected a mapping of sections, got {type(values).__name__}")
    return values


def _apply(values: dict[str, Any], override: str) -> None:
    """Set one `a.b.0.c=value` in place."""
    key, value = split_override(override)
    assign(values, current_key(PipelineConfig, key), value, source="--set ")


def split_override(override: str) -> tuple[str, Any]:
    """Key and value of one `a.b.0.c=value`.

    Raises:
        ConfigError: There is no key, or the value is no YAML.

    Example:
        >>> split_override("ingest.interactions.time_format=%d/%m/%Y")
        ('ingest.interactions.time_format', '%d/%m/%Y')
    """
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set expects key.path=value, got {override!r}")
    # What YAML has other uses for, but nobody means by it here, is text: patterns of times, delimiters.
    if text.startswith(("%", "@", "`")) or text in ("|", ">"):
        return key, text
    try:
        return key, load_written(text)
    except yaml.YAMLError:
        raise ConfigError(f"--set {key}: the value {text!r} is not valid YAML") from None


def assign(values: dict[str, Any], key: str, value: Any, *, source: str = "") -> None:
    """Set `a.b.0.c` of nested lists and mappings in place; those on the way are made where they are missing.

    Args:
        values: The plain values of a config.
        key: Its steps; list places are numbers.
        value: The new value of the key.
        source: Prefix of error messages.

    Raises:
        ConfigError: The key leads through a plain value, or to a place beyond a list's end.

    Example:
        >>> values = {"phases": [{"epochs": 1}]}
        >>> assign(values, "phases.0.epochs", 3)
        >>> values
        {'phases': [{'epochs': 3}]}
    """
    steps = key.split(".")
    node: Any = values
    for step, following in itertools.pairwise(steps):
        node = _child(node, step, [] if following.isdigit() else {}, source + key)
    _put(node, steps[-1], value, source + key)


def _child(node: Any, step: str, empty: list[Any] | dict[str, Any], key: str) -> Any:
    if isinstance(node, list):
        index = _place(node, step, key)
        if index == len(node):
            node.append(empty)
        return node[index]
    if not isinstance(node, dict):
        raise ConfigError(f"{key}: nothing lies below {step!r}, its parent is a plain value")
    if node.get(step) is None:
        node[step] = empty
    return node[step]


def _put(node: Any, step: str, value: Any, key: str) -> None:
    if isinstance(node, list):
        index = _place(node, step, key)
        node[index : index + 1] = [value]
    elif isinstance(node, dict):
        node[step] = value
    else:
        raise ConfigError(f"{key}: nothing lies below it, its parent is a plain value")


def _place(node: list[Any], step: str, key: str) -> int:
    if not step.isdigit() or int(step) > len(node):
        raise ConfigError(f"{key}: expected a list place from 0 to {len(node)}, got {step!r}")
    return int(step)
