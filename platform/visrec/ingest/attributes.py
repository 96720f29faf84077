"""What is known of items besides their pictures: title, categories, price and so on."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visrec.ingest.times import parse_times
from visrec.ingest.values import floats, text

ATTRIBUTES = pa.schema(
    [
        ("title", pa.string()),
        ("categories", pa.list_(pa.string())),
        ("price", pa.float64()),
        ("created_at", pa.int64()),
        ("available", pa.bool_()),
    ]
)
_YES, _NO = pa.array(["true", "1", "1.0", "yes", "y", "t"]), pa.array(["false", "0", "0.0", "no", "n", "f"])


def parse_attributes(columns: Mapping[str, Any], num_rows: int, *, separator: str) -> tuple[pa.Table, int]:
    """Attributes of some items.

    A value that cannot be read becomes null, and the item stays: a price of "n/a" is no reason not to show it.
    Where nothing says whether an item is available, it is.

    Args:
        columns: By role (`title`, `price`, ...) a pyarrow array; roles may be missing.
        num_rows: Rows of each column.
        separator: Between the categories of one text.

    Returns:
        Table of `ATTRIBUTES`, and how many values could not be read.
    """
    found: dict[str, Any] = {}
    unreadable = 0
    if "title" in columns:
        found["title"], broken = text(columns["title"])
        unreadable += int(broken.sum())
    if "categories" in columns:
        found["categories"], broken = _categories(columns["categories"], separator)
        unreadable += int(broken.sum())
    if "price" in columns:
        found["price"], broken = floats(columns["price"])
        unreadable += int(broken.sum())
    if "created_at" in columns:
        found["created_at"], broken = _moments(columns["created_at"])
        unreadable += int(broken.sum())
    if "available" in columns:
        found["available"], broken = _truths(columns["available"])
        unreadable += int(broken.sum())
    defaults = {
        name: pa.nulls(num_rows, kind) for name, kind in zip(ATTRIBUTES.names, ATTRIBUTES.types, strict=True)
    }
    defaults["categories"] = pa.array([[]] * num_rows, pa.list_(pa.string()))
    defaults["available"] = pa.array(np.ones(num_rows, bool))
    return pa.table({**defaults, **found}, schema=ATTRIBUTES), unreadable


def _categories(column: Any, separator: str) -> tuple[Any, Any]:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        lists = [[str(c) for c in row or [] if c is not None] for row in column.to_pylist()]
        return pa.array(lists, pa.list_(pa.string())), np.zeros(len(column), bool)
    values, broken = text(column)
    return pa.array([_split(v, separator) for v in values.to_pylist()], pa.list_(pa.string())), broken


def _split(value: str | None, separator: str) -> list[str]:
    if not value:
        return []
    if value.startswith("["):  # a list of a JSONL file
        try:
            return [str(c) for c in json.loads(value)]
        except ValueError:
            pass  # a name that begins with a bracket
    return [part.strip() for part in value.split(separator) if part.strip()]


def _moments(column: Any) -> tuple[Any, Any]:
    broken = np.zeros(len(column), bool)
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        column, broken = text(column)
    there = np.asarray(pc.is_valid(column))
    times, readable = parse_times(column, "auto")
    return pa.array(times, mask=~(there & readable)), broken | (there & ~readable)


def _truths(column: Any) -> tuple[Any, Any]:
    if pa.types.is_boolean(column.type):
        return pc.fill_null(column, True), np.zeros(len(column), bool)
    values, broken = text(column)
    lower = pc.utf8_lower(values)
    no = np.asarray(pc.is_in(lower, value_set=_NO))
    known = no | np.asarray(pc.is_in(lower, value_set=_YES)) | np.asarray(pc.is_null(values))
    return pa.array(~no), broken | ~known
