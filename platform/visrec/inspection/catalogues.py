"""Tables as catalogues: the key that logs refer to, titles, categories, prices."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from visrec.ingestion.availability import meaning_of
from visrec.ingestion.prices import prices
from visrec.inspection.logs import overlap
from visrec.inspection.names import named
from visrec.inspection.readings import CatalogueReading, OpenTable
from visrec.inspection.samples import Column, whole_ids
from visrec.inspection.times import read_times

_ATTRIBUTES = ("title", "categories", "price", "created_at", "available")
_SEPARATORS = ("|", ";", ",", " > ", "/")


def keys_of(table: OpenTable) -> list[Column]:
    """Columns that may be the key of a table of items."""
    return [table.sample.columns[name] for name in named("item_id", table.names)]


def is_long_form(table: OpenTable) -> bool:
    """Whether a table has a row for each property of an item, instead of a column."""
    return bool(named("property", table.names) and named("value", table.names))


def read_catalogue_table(table: OpenTable, items: Any) -> CatalogueReading | None:
    """A table as a catalogue, or None where it has no key of items.

    Args:
        table: The table.
        items: Ids of items: of the log, or names of pictures.
    """
    if named("user_id", table.names) and named("time", table.names):
        return None
    keys = keys_of(table)
    if not keys:
        return None
    if is_long_form(table):
        return _read_long_form(table, keys[0], items)
    shares = {key.name: overlap(items, key.distinct_ids) for key in keys}
    key = max(shares, key=lambda name: round(shares[name], 2))
    columns = {"item_id": key}
    alternatives: dict[str, list[str]] = {}
    notes: dict[str, str] = {}
    for role in _ATTRIBUTES:
        for name in named(role, table.names):
            if name in columns.values():
                continue
            fault = _fault(role, table.sample.columns[name])
            if fault:
                notes.setdefault(role, f"{name}: {fault}")
            elif role in columns:
                alternatives.setdefault(role, []).append(name)
            else:
                columns[role] = name
    return CatalogueReading(
        table=table,
        columns=columns,
        category_separator=_separator(table.sample.columns[columns["categories"]])
        if "categories" in columns
        else None,
        alternatives=alternatives,
        notes=notes,
        share=_share(table, key, items, shares[key]),
    )


def _read_long_form(table: OpenTable, key: Column, items: Any) -> CatalogueReading:
    properties = {role: named(role, table.names)[0] for role in ("property", "value")}
    times = named("time", table.names)
    names = table.sample.columns[properties["property"]].distinct_texts
    found = {role: named(role, names) for role in _ATTRIBUTES}
    return CatalogueReading(
        table=table,
        columns={"item_id": key.name, **{role: of_role[0] for role, of_role in found.items() if of_role}},
        category_separator=None,
        alternatives={},
        notes={},
        share=_share(table, key.name, items, overlap(items, key.distinct_ids)),
        properties=properties | ({"time": times[0]} if times else {}),
    )


def _share(table: OpenTable, key: str, items: Any, share_of_sample: float) -> float:
    """Share of the log's items in the whole table, or in its sample where it is too large."""
    if table.sample.is_whole or not share_of_sample:
        return share_of_sample
    ids = whole_ids(table.found.files, key, table.found.column_names)
    return share_of_sample if ids is None else overlap(items, ids)


def choose_catalogue(
    candidates: Sequence[CatalogueReading], *, share_with_picture: float
) -> CatalogueReading | None:
    """The candidate with most of the log's items, of equal ones one with a header, and that with most attributes.

    None where pictures are named after many more of the log's items: they are the catalogue then.
    """
    meeting = [c for c in candidates if c.share > max(0.0, share_with_picture / 2)]

    def worth(candidate: CatalogueReading) -> tuple[float, bool, int, int]:
        found = candidate.table.found
        return round(candidate.share, 1), found.column_names is None, len(candidate.columns), found.size

    return max(meeting, key=worth, default=None)


def _fault(role: str, column: Column) -> str | None:
    """Why a column cannot have a role, or None."""
    if not column.num_present:
        return "empty"
    if role == "categories" and len(column.distinct_texts) == 1 and column.num_present > 1:
        return f"the same for all items, {column.example!r}"
    if role == "price":
        values = column.texts
        if values is None or np.mean(prices(values)[1]) > 0.5:
            return f"no prices, such as {column.example!r}"
    if role == "available" and not all(meaning_of(word) is not None for word in column.distinct_texts):
        return f"no yes or no and no known status, such as {column.example!r}"
    if role == "created_at" and read_times(column) is None:
        return f"no times, such as {column.example!r}"
    return None


def _separator(column: Column) -> str | None:
    """What stands between the categories of a text: what splits many values into parts that come back elsewhere."""
    if column.texts is None or not column.num_present:
        return None
    values = column.texts.to_pylist()
    if sum(v.startswith("[") for v in values) > len(values) / 2:
        return None
    for separator in _SEPARATORS:
        split = [[p.strip() for p in v.split(separator)] for v in values]
        parts = Counter(p for row in split for p in row)
        several = sum(len(row) > 1 for row in split)
        if several > 0.05 * len(values) and len(parts) < len(set(values)) + several / 2:
            return separator
    return None
