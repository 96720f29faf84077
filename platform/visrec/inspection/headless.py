"""Tables without a header line: whether there is one, and names of columns by what they hold."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visrec.inspection.kinds import read_kinds
from visrec.inspection.logs import overlap
from visrec.inspection.names import ROLE_NAMES, plain_name
from visrec.inspection.readings import OpenTable
from visrec.inspection.samples import Column, sample_table
from visrec.inspection.times import TimeReading, read_times

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*")
_FIRST_EPOCH = 600_000_000_000
"""Milliseconds: numbers that are earlier times are rather ids."""
_SHAPE = 0.9
"""Share of a column's values that have the shape of the first row's."""
_MAX_RATING = 10
_KNOWN, _RUNNER_UP = 0.5, 0.9
_TITLE_LENGTH = 4


def is_headless(fields: Sequence[str], columns: Mapping[str, Column]) -> bool:
    """Whether the first row of a table holds values instead of names.

    Args:
        fields: The first row.
        columns: What stands below each of its fields, as far as these are different.

    Example:
        >>> is_headless(["1", "1193", "5"], {}), is_headless(["user_id", "item_id"], {})
        (True, False)
    """
    if any(plain_name(field) in names for field in fields for names in ROLE_NAMES.values()):
        return False
    if any(_NUMBER.fullmatch(field.strip()) or _TIME.fullmatch(field.strip()) for field in fields):
        return list(fields) != [str(k) for k in range(len(fields))]  # a table library's names for columns
    if len(set(fields)) < len(fields):
        return True
    return any(
        any(code.isdigit() for code in name) and _is_shaped_like(name, column.texts.to_pylist())
        for name, column in columns.items()
        if column.texts is not None and len(column.texts) > 1
    )


def _is_shaped_like(field: str, values: Sequence[str]) -> bool:
    shape = _shape(field)
    return sum(_shape(value) == shape for value in values) >= _SHAPE * len(values)


def with_names(tables: Sequence[OpenTable], picture_ids: Sequence[Any]) -> list[OpenTable]:
    """The tables, those without a header with names for their columns; one that is neither log nor catalogue as it is.

    Args:
        tables: All tables.
        picture_ids: Ids that pictures are named after, of each folder.

    Raises:
        DataError: A file cannot be read.
    """
    numbered = {
        k: _numbered(table)
        for k, table in enumerate(tables)
        if table.found.files[0].format == "csv" and is_headless(table.found.fields, table.sample.columns)
    }
    keys = [
        column.distinct_ids
        for k, table in enumerate(tables)
        for column in numbered.get(k, table).sample.columns.values()
        if column.ids is not None and column.num_present == len(column.distinct_ids)
    ]
    named = list(tables)
    items: list[Any] = [*picture_ids]
    for k, table in numbered.items():
        names = log_names(list(table.sample.columns.values()), picture_ids, keys)
        if names is not None:
            named[k] = _renamed(table, names)
            items.append(named[k].sample.columns["item_id"].distinct_ids)
    known = pc.unique(pa.concat_arrays(items)) if items else pa.array([], pa.string())
    for k, table in numbered.items():
        if named[k] is tables[k]:
            names = catalogue_names(list(table.sample.columns.values()), known)
            named[k] = tables[k] if names is None else _renamed(table, names)
    return named


def _numbered(table: OpenTable) -> OpenTable:
    """A table whose first row is no header, its columns named 1, 2, ..."""
    names = tuple(str(place) for place in range(1, len(table.found.fields) + 1))
    return OpenTable(found=table.found, sample=sample_table(table.found.files, names))


def _renamed(table: OpenTable, names: Sequence[str]) -> OpenTable:
    columns = {
        name: Column(name=name, values=column.values)
        for name, column in zip(names, table.sample.columns.values(), strict=True)
    }
    found = replace(table.found, fields=tuple(names), column_names=tuple(names))
    return OpenTable(found=found, sample=replace(table.sample, columns=columns))


def log_names(columns: Sequence[Column], picture_ids: Sequence[Any], keys: Sequence[Any]) -> list[str] | None:
    """Names for the columns of a log: of users, items and times, of kinds and ratings where there are some.

    Items are the column whose values are names of pictures, or keys of other tables; users are the first column that
    is left and repeats its values.

    Args:
        columns: In order.
        picture_ids: Ids that pictures are named after, of each folder.
        keys: Values of the key of each other table.

    Returns:
        A name for each column, or None where the table is no log.
    """
    times = [
        r
        for c in columns
        if (r := read_times(c)) and (not r.is_number or (r.first > _FIRST_EPOCH and r.unit != "excel"))
    ]
    if not times:
        return None
    names = {_most_telling(times).column: "time"}
    for column in columns:
        kinds = read_kinds(column.name, column.distinct_texts)
        if column.name not in names and kinds and not kinds.unknown and len(kinds.kinds) > 1:
            names[column.name] = "kind"
    rest = [c for c in columns if c.name not in names and c.ids is not None and len(c.distinct_ids) > 1]
    item = _item(rest, picture_ids) or _item(rest, keys)
    if item is None:
        return None
    names[item] = "item_id"
    users = [c for c in rest if c.name != item and len(c.distinct_ids) < c.num_present]
    if not users:
        return None
    names[users[0].name] = "user_id"
    for column in users[1:]:
        if _is_rating(column) and "rating" not in names.values():
            names[column.name] = "rating"
    return _complete(columns, names)


def catalogue_names(columns: Sequence[Column], items: Any) -> list[str] | None:
    """Names for the columns of a catalogue: its key, a title, categories; None where no column has items."""
    shares = {c.name: overlap(items, c.distinct_ids) for c in columns if c.ids is not None}
    unique = {c.name for c in columns if len(c.distinct_ids) == c.num_present}
    keys = {name: share for name, share in shares.items() if name in unique and share > 0}
    if not keys:
        return None
    key = max(keys, key=lambda name: round(keys[name], 2))
    names = {key: "item_id"}
    texts = [
        c
        for c in columns
        if c.name != key and c.num_present and not c.is_number and _length(c) >= _TITLE_LENGTH
    ]
    titles = [c for c in texts if len(c.distinct_texts) > c.num_present / 2]
    if titles:
        names[titles[0].name] = "title"
    categories = [c for c in texts if c.name not in names and 1 < len(c.distinct_texts) <= c.num_present / 2]
    if categories:
        names[categories[0].name] = "categories"
    return _complete(columns, names)


def _complete(columns: Sequence[Column], names: Mapping[str, str]) -> list[str]:
    return [names.get(c.name, f"column_{place}") for place, c in enumerate(columns, start=1)]


def _most_telling(times: Sequence[TimeReading]) -> TimeReading:
    """Text before numbers, and of numbers those that span the shortest time: ids spread further."""
    return min(times, key=lambda r: (r.is_number, r.last - r.first))


def _item(columns: Sequence[Column], pools: Sequence[Any]) -> str | None:
    columns = [c for c in columns if not _is_rating(c)] or columns  # numbers of stars may be ids as well
    shares = {c.name: max((overlap(c.distinct_ids, p) for p in pools), default=0.0) for c in columns}
    best = max(shares, key=lambda name: shares[name], default=None)
    if best is None or shares[best] < _KNOWN:
        return None
    rivals = [name for name, share in shares.items() if share >= _RUNNER_UP * shares[best]]
    return rivals[1] if len(rivals) > 1 and best in rivals[:2] else best


def _is_rating(column: Column) -> bool:
    if not column.is_number or not 1 < len(column.distinct_texts) <= 2 * _MAX_RATING + 1:
        return False
    values = [float(v) for v in column.distinct_texts]
    return min(values) >= 0 and 1 < max(values) <= _MAX_RATING


def _length(column: Column) -> float:
    return float(np.mean([len(v) for v in column.texts.to_pylist()]))


def _shape(value: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", value))
