"""Absolute paths in configs: workers and jobs run in other folders than the command."""

import os
from typing import Any, TypeVar

from visrec.config import WorkloadConfig

JobT = TypeVar("JobT", bound=WorkloadConfig)

_PATHS = (
    ("workspace",),
    ("ingest", "interactions", "path"),
    ("ingest", "items", "path"),
    ("ingest", "images", "path"),
    ("evaluation", "truth"),
    ("model", "item", "weights"),
    ("training", "start_from"),
)
_NAMES = ("weights", "start_from")
"""Keys that may hold a plain name instead of a path: one without a slash is left as it is."""


def with_absolute_paths(job: JobT) -> JobT:
    """The same config with relative paths resolved from the current folder; URIs stay as they are.

    Example:
        >>> with_absolute_paths(WorkloadConfig(workspace="/tmp/../shop")).workspace
        '/shop'
        >>> with_absolute_paths(WorkloadConfig(workspace="s3://bucket/shop")).workspace
        's3://bucket/shop'
    """
    values = job.model_dump()
    for *parents, key in _PATHS:
        node: Any = values
        for parent in parents:
            node = node.get(parent, {})
        for holder in node if isinstance(node, list | tuple) else (node,):
            value = holder.get(key)
            if value is not None and not (key in _NAMES and "/" not in value and not os.path.exists(value)):
                holder[key] = _absolute(value)
    return type(job).model_validate(values)


def _absolute(text: str) -> str:
    return text if "://" in text else os.path.abspath(os.path.expanduser(text))
