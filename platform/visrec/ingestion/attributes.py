"""Conversion of item attributes: title, categories, price, creation time, availability."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visrec.data.schemas import ATTRIBUTES_SCHEMA
from visrec.ingestion.times import parse_times, small_numbers
from visrec.ingestion.values import floats, split_list, text

_LATEST_MS = 7_258_118_400_000
"""The year 2200."""

_YES, _NO = pa.array(["true", "1", "1.0", "yes", "y", "t"]), pa.array(["false", "0", "0.0", "no", "n", "f"])


def parse_attributes(columns: Mapping[str, Any], num_rows: int, *, separator: str) -> tuple[pa.Table, int]:
    """Attributes of some items.

    A value that cannot be read becomes null, and the item stays: a price of "n/a" is no reason not to show it.
    An item is available unless it says otherwise.

    Args:
        columns: By role (`title`, `price`, ...) a pyarrow array; roles may be missing.
        num_rows: Rows of each column.
        separator: Between the categories of one text.

    Returns:
        Table of `ATTRIBUTES_SCHEMA`, and how many values could not be read.
    """
    parsers: dict[str, Callable[[Any], tuple[Any, Any]]] = {
        "title": text,
        "categories": lambda column: _categories(column, separator),
        "price": floats,
        "created_at": _times,
        "available": _flags,
    }
    found: dict[str, Any] = {}
    num_unreadable = 0
    for role, parse in parsers.items():
        if role in columns:
            found[role], unreadable = parse(columns[role])
            num_unreadable += int(unreadable.sum())
    defaults = {
        name: pa.nulls(num_rows, kind)
        for name, kind in zip(ATTRIBUTES_SCHEMA.names, ATTRIBUTES_SCHEMA.types, strict=True)
    }
    defaults["categories"] = pa.array([[]] * num_rows, pa.list_(pa.string()))
    defaults["available"] = pa.array(np.ones(num_rows, bool))
    return pa.table({**defaults, **found}, schema=ATTRIBUTES_SCHEMA), num_unreadable


def _categories(column: Any, separator: str) -> tuple[Any, Any]:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        lists = [[str(c) for c in row or [] if c is not None] for row in column.to_pylist()]
        return pa.array(lists, pa.list_(pa.string())), np.zeros(len(column), bool)
    values, broken = text(column)
    return pa.array([split_list(v, separator) for v in values.to_pylist()], pa.list_(pa.string())), broken


def _times(column: Any) -> tuple[Any, Any]:
    broken = np.zeros(len(column), bool)
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        column, broken = text(column)
    present = np.asarray(pc.is_valid(column))
    times, readable = parse_times(column, "auto")
    # Years, compact dates and the like are no seconds since 1970, nor milliseconds of a far future.
    readable &= ~small_numbers(column) & (times < _LATEST_MS)
    return pa.array(times, mask=~(present & readable)), broken | (present & ~readable)


def _flags(column: Any) -> tuple[Any, Any]:
    if pa.types.is_boolean(column.type):
        return pc.fill_null(column, True), np.zeros(len(column), bool)
    values, broken = text(column)
    lower = pc.utf8_lower(values)
    no = np.asarray(pc.is_in(lower, value_set=_NO))
    known = no | np.asarray(pc.is_in(lower, value_set=_YES)) | np.asarray(pc.is_null(values))
    return pa.array(~no), broken | ~known
