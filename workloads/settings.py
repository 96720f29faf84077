"""Settings of the workload functions (`visrec.train` and its like): one rule for all of them.

A workload takes its settings in one of two ways:

1. A finished config of its own class, and nothing else:

       visrec.train(TrainWorkloadConfig(workspace="shop", model=ModelConfig(dim=32)))

2. Keywords, laid over a YAML file, over a mapping, or over the defaults:

       visrec.train("shop.yaml", model={"dim": 32})
       visrec.train({"workspace": "shop"}, seed=1)
       visrec.train(workspace="shop", model={"dim": 32})

   A mapping given as a keyword changes the keys that it names and keeps the others. Lists, plain values and config
   objects replace what was there. The file or mapping may hold the sections of all workloads, as for the `visrec`
   command; a keyword must be a setting of this workload.

A config together with keywords is refused: use `config.replace(...)`. Relative paths mean the current folder.
"""

import io
import os
from collections.abc import Mapping
from typing import Any, TypeVar

from rich.console import Console

from visrec.config import Config, PipelineConfig, WorkloadConfig, parse_config, read_yaml, with_absolute_paths
from visrec.config.keys import with_current_keys
from visrec.errors import ConfigError

ConfigT = TypeVar("ConfigT", bound=WorkloadConfig)

PlainSettings = Mapping[str, Any] | str | os.PathLike[str] | None
"""A mapping of plain values, the path of a YAML file, or nothing."""


def workload_config(
    kind: type[ConfigT], source: ConfigT | PlainSettings, settings: Mapping[str, Any]
) -> ConfigT:
    """The config of a workload from the arguments of its function, with absolute paths.

    Args:
        kind: Config class of the workload.
        source: A finished config, or what the settings are laid over.
        settings: Keywords of the call.

    Raises:
        ConfigError: The arguments are mixed, or a key, type or value is wrong; one line.

    Example:
        >>> workload_config(WorkloadConfig, {"seed": 1, "ray": {"num_cpus": 4}}, {"ray": {"address": "auto"}}).ray
        RayConfig(address='auto', num_cpus=4)
    """
    if isinstance(source, Config):
        if not isinstance(source, kind):
            raise ConfigError(f"expected a {kind.__name__}, got a {type(source).__name__}")
        if settings:
            raise ConfigError(
                f"expected a {kind.__name__} without keywords, got {', '.join(settings)} as well; use replace(...)"
            )
        return with_absolute_paths(source)
    for key in settings:
        if key not in kind.model_fields:
            raise ConfigError(f"{key}: unknown setting; expected one of {', '.join(kind.model_fields)}")
    values: Mapping[str, Any]
    if source is None:
        values = {}
    elif isinstance(source, Mapping):
        values = source
    elif isinstance(source, str | os.PathLike):
        values = read_yaml(os.fspath(source))
    else:
        raise ConfigError(
            f"expected a {kind.__name__}, a mapping or the path of a YAML file, got a {type(source).__name__}"
        )
    values, settings = (with_current_keys(PipelineConfig, given) for given in (values, settings))
    everything = parse_config(PipelineConfig, _laid_over(values, settings))
    return with_absolute_paths(everything.project(kind))


def _laid_over(values: Mapping[str, Any], changes: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The values with changes laid over them, key by key at every level of mappings."""
    merged = dict(values)
    for key, change in changes.items():
        old = merged.get(key)
        if isinstance(old, Config) and isinstance(change, Mapping):
            raise ConfigError(
                f"{path}{key}: expected a whole {type(old).__name__} over a {type(old).__name__}, got a mapping"
            )
        both = isinstance(old, Mapping) and isinstance(change, Mapping)
        merged[key] = _laid_over(old, change, f"{path}{key}.") if both else change  # type: ignore[arg-type]
    return merged


def workload_console(console: Console | None, progress: bool) -> Console:
    """The console of a workload: the caller's, standard output if progress is wanted, else one that prints nothing."""
    if console is not None:
        return console
    if progress:
        return Console(highlight=False)
    # Not a terminal: progress bars must not take over the caller's standard output.
    return Console(file=io.StringIO(), quiet=True, force_terminal=False, force_jupyter=False)
