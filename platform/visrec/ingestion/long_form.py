"""Catalogues in long form: one row a property of an item, with its name and value, perhaps at several times."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.config.ingest import PropertiesConfig
from visrec.errors import DataError
from visrec.ingestion.chunks import Chunk, check_columns, mapped_columns
from visrec.ingestion.column_types import ColumnNames, check_types
from visrec.ingestion.formats import read_rows
from visrec.ingestion.id_text import id_texts
from visrec.ingestion.quarantine import Reason, Reject, malformed_items
from visrec.ingestion.raw_rows import RawRows
from visrec.ingestion.times import parse_times
from visrec.ingestion.values import text

_SETTING = "ingest.items.properties"
_MOST_SHOWN = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class LongForm:
    """A catalogue in long form as one row an item.

    Attributes:
        rows: By role, as from a table with a column for each property.
        rejects: Rows that cannot be read.
    """

    rows: RawRows
    rejects: list[Reject]


def read_long_form(
    chunks: Sequence[Chunk], columns: Mapping[str, str], properties: PropertiesConfig
) -> LongForm:
    """Read the mapped properties of all items; of several values of a property the latest counts.

    Without a column of times, and at equal times, the last row counts. Properties that are not mapped are not kept, but
    their items are.

    Args:
        chunks: All files.
        columns: Role and name of the mapped properties; of `item_id` the name of its column.
        properties: Names of the other columns.

    Raises:
        DataError: A column is missing, or no row has a mapped property.
    """
    named = mapped_columns(properties)
    check_columns(chunks, {"item_id": columns["item_id"]}, setting="ingest.items.columns")
    check_columns(chunks, named, setting=_SETTING)
    wanted = sorted({name for role, name in columns.items() if role != "item_id"})
    parts: list[_Part] = []
    rejects: list[Reject] = []
    for chunk in chunks:
        names = ColumnNames(setting=_SETTING, names=named, file=str(chunk.file.location))
        for raw in read_rows(chunk, {"item_id": columns["item_id"], **named}, whole=True):
            check_types({role: raw.columns[role] for role in named}, names)
            parts.append(_Part.of(raw, wanted))
            rejects += _rejects(raw, str(chunk.file.location), parts[-1])
    known = sorted({name for part in parts for name in part.known})
    for role, name in columns.items():
        if role != "item_id" and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            shown = ", ".join(known[:_MOST_SHOWN]) + (", ..." if len(known) > _MOST_SHOWN else "")
            raise DataError(
                f"ingest.items.columns.{role}: expected a property in the column {properties.property!r} ({shown}), "
                f"got {name!r}{f'; did you mean {close[0]!r}?' if close else ''}"
            )
    return LongForm(rows=_wide(parts, wanted, columns), rejects=rejects)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """Rows of one piece of a file.

    Attributes:
        items: Different ids, in order of their first mention, a pyarrow string array.
        item: Place among `items` of each kept row, [N].
        name: Place among the wanted properties of each kept row, [N].
        value: Of each kept row, a pyarrow string array.
        time: Milliseconds of each kept row, 0 without times, [N].
        known: All properties.
        bad_times: Lines of rows that are left out since their time cannot be read.
        without_item: Lines of rows without an id.
    """

    items: Any
    item: NDArray[np.int64]
    name: NDArray[np.int64]
    value: Any
    time: NDArray[np.int64]
    known: list[str]
    bad_times: list[int]
    without_item: list[int]

    @classmethod
    def of(cls, raw: RawRows, wanted: Sequence[str]) -> "_Part":
        ids = id_texts(raw.columns["item_id"]).values
        properties = text(raw.columns["property"])[0]
        places = pc.index_in(properties, value_set=pa.array(wanted, pa.string()))
        encoded = ids.dictionary_encode()
        kept = np.flatnonzero(np.asarray(pc.is_valid(places)) & np.asarray(pc.is_valid(ids)))
        times, bad_times = np.zeros(len(kept), np.int64), []
        if "time" in raw.columns:
            column = raw.columns["time"].take(pa.array(kept))
            column = text(column)[0] if pa.types.is_binary(column.type) else column
            times, readable = parse_times(column, "auto")
            bad_times = raw.lines[kept[~readable]].tolist()
            times, kept = times[readable], kept[readable]
        rows = pa.array(kept)
        return cls(
            items=encoded.dictionary,
            item=np.asarray(encoded.indices.take(rows), np.int64),
            name=np.asarray(places.take(rows), np.int64),
            value=text(raw.columns["value"].take(rows))[0],
            time=times,
            known=pc.unique(properties).drop_null().to_pylist(),
            bad_times=bad_times,
            without_item=raw.lines[np.asarray(pc.is_null(ids))].tolist(),
        )


def _wide(parts: Sequence[_Part], wanted: Sequence[str], columns: Mapping[str, str]) -> RawRows:
    items = pc.unique(pa.concat_arrays([part.items for part in parts] or [pa.array([], pa.string())]))
    item = np.concatenate(
        [np.asarray(pc.index_in(part.items, value_set=items), np.int64)[part.item] for part in parts]
    )
    name = np.concatenate([part.name for part in parts])
    time = np.concatenate([part.time for part in parts])
    values = pa.concat_arrays([part.value for part in parts])
    order = np.lexsort((time, item, name))  # stable: of equal times the last row comes last
    is_last = np.ones(len(order), bool)
    is_last[:-1] = (np.diff(item[order]) != 0) | (np.diff(name[order]) != 0)
    latest = order[is_last]
    by_name = {}
    for place, property_name in enumerate(wanted):
        chosen = latest[name[latest] == place]
        row_of_item = np.full(len(items), -1, np.int64)
        row_of_item[item[chosen]] = chosen
        by_name[property_name] = values.take(pa.array(row_of_item, mask=row_of_item < 0))
    found = {role: by_name[column] for role, column in columns.items() if role != "item_id"}
    return RawRows(
        columns={"item_id": items, **found},
        lines=np.arange(1, len(items) + 1),
        malformed=[],
        num_lines=len(items),
    )


def _rejects(raw: RawRows, file: str, part: _Part) -> list[Reject]:
    faults = ((Reason.BAD_TIME, part.bad_times), (Reason.MISSING_ITEM, part.without_item))
    return malformed_items(raw.malformed, file) + [
        Reject(source="items", location=f"{file}:{line}", reason=reason, detail="")
        for reason, lines in faults
        for line in lines
    ]
