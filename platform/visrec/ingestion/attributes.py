"""Conversion of item attributes: title, categories, price, creation time, availability."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visrec.data.schemas import ATTRIBUTES_SCHEMA
from visrec.ingestion.availability import parse_availability
from visrec.ingestion.categories import parse_categories
from visrec.ingestion.cells import decode_cell, elements
from visrec.ingestion.column_types import ColumnNames, check_types
from visrec.ingestion.prices import prices
from visrec.ingestion.times import parse_times, small_numbers
from visrec.ingestion.values import shown, text

_LATEST_MS = 7_258_118_400_000
"""The year 2200."""

_EXAMPLE_LENGTH = 40


@dataclass(kw_only=True, slots=True)
class UnreadableValues:
    """Attribute values that could not be read and are null.

    Attributes:
        counts: By column of the input.
        examples: One value of each column.
    """

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, column: str, count: int, example: str) -> None:
        """Count values of a column; the example is kept where the column has none yet."""
        if count:
            self.counts[column] = self.counts.get(column, 0) + count
            self.examples.setdefault(column, example)

    def include(self, other: "UnreadableValues") -> None:
        """Count the values of others too."""
        for column, count in other.counts.items():
            self.add(column, count, other.examples[column])

    @property
    def total(self) -> int:
        """All such values."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        return "; ".join(f"{name} {n:,} (e.g. {self.examples[name]!r})" for name, n in self.counts.items())


def parse_attributes(
    columns: Mapping[str, Any],
    num_rows: int,
    *,
    separator: str,
    names: ColumnNames | None = None,
    available_names: Mapping[str, bool] = MappingProxyType({}),
) -> tuple[pa.Table, UnreadableValues]:
    """Attributes of some items.

    A value that cannot be read becomes null, and the item stays: a price of "n/a" is no reason not to show it.
    An item is available unless it says otherwise.

    Args:
        columns: By role (`title`, `price`, ...) a pyarrow array; roles may be missing.
        num_rows: Rows of each column.
        separator: Between the categories of one text.
        names: Names of the columns, for messages.
        available_names: Meanings of words in `available`.

    Returns:
        Table of `ATTRIBUTES_SCHEMA`, and the values that could not be read.

    Raises:
        DataError: A column is of a type that cannot hold its role, or `available` holds words of unknown meaning.
    """
    names = names or ColumnNames(setting="ingest.items.columns", names={}, file="the catalogue")
    parsers: dict[str, Callable[[Any], tuple[Any, Any]]] = {
        "title": _titles,
        "categories": lambda column: parse_categories(column, separator, names),
        "price": prices,
        "created_at": _times,
        "available": lambda column: parse_availability(column, names, available_names),
    }
    check_types({role: columns[role] for role in parsers if role in columns}, names)
    found: dict[str, Any] = {}
    unreadable = UnreadableValues()
    for role, parse in parsers.items():
        if role in columns:
            found[role], broken = parse(columns[role])
            first = next(iter(np.flatnonzero(broken)), None)
            example = "" if first is None else shown(columns[role][int(first)].as_py(), _EXAMPLE_LENGTH)
            unreadable.add(names.names.get(role, role), int(broken.sum()), example)
    defaults = {
        name: pa.nulls(num_rows, kind)
        for name, kind in zip(ATTRIBUTES_SCHEMA.names, ATTRIBUTES_SCHEMA.types, strict=True)
    }
    defaults["categories"] = pa.array([[]] * num_rows, pa.list_(pa.string()))
    defaults["available"] = pa.array(np.ones(num_rows, bool))
    return pa.table({**defaults, **found}, schema=ATTRIBUTES_SCHEMA), unreadable


def _titles(column: Any) -> tuple[Any, Any]:
    """Titles as text; a list of one text, as JSON holds it, is that text, other lists and mappings are unreadable."""
    values, broken = text(column)
    nested = np.asarray(pc.fill_null(pc.match_substring_regex(values, r"^[\[{].*[\]}]$"), False))
    if not nested.any():
        return values, broken
    titles = values.to_pylist()
    for row in np.flatnonzero(nested):
        cell = decode_cell(titles[row])
        if not isinstance(cell, str):
            parts = list(elements(cell))
            single = len(parts) == 1 and isinstance(parts[0], str)
            titles[row] = parts[0].strip() or None if single else None
            broken[row] |= bool(parts) and not single
    return pa.array(titles, pa.string()), broken


def _times(column: Any) -> tuple[Any, Any]:
    broken = np.zeros(len(column), bool)
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type) or pa.types.is_null(column.type):
        column, broken = text(column)
    present = np.asarray(pc.is_valid(column))
    times, readable = parse_times(column, "auto")
    # Years, compact dates and the like are no seconds since 1970, nor milliseconds of a far future.
    readable &= ~small_numbers(column) & (times < _LATEST_MS)
    return pa.array(times, mask=~(present & readable)), broken | (present & ~readable)
