"""Dialects of records: JSON lines, JSON arrays and Parquet files of one table of values."""

import gzip
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

Cell = str | int | float | list[str] | None
Row = dict[str, Cell]


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonDialect:
    """One way to write records as JSON.

    Attributes:
        array: One array instead of an object a line.
        pretty: An array over several lines, with spaces.
        leave_out: Keys without a value are left out, instead of null.
        ascii: Other characters as escapes.
        line_end: After each object.
        blank_lines: Between objects.
        ending: Of the file's name.
        compressed: By gzip, without an ending that says so.
    """

    array: bool = False
    pretty: bool = False
    leave_out: bool = False
    ascii: bool = False
    line_end: str = "\n"
    blank_lines: bool = False
    ending: str = ".jsonl"
    compressed: bool = False

    def write(self, folder: Path, stem: str, rows: Sequence[Row]) -> Path:
        """Write records to a file in a folder."""
        shown = [{k: v for k, v in row.items() if v is not None} if self.leave_out else row for row in rows]
        if self.array:
            text = json.dumps(shown, ensure_ascii=self.ascii, indent=2 if self.pretty else None)
        else:
            between = self.line_end * (2 if self.blank_lines else 1)
            text = between.join(json.dumps(row, ensure_ascii=self.ascii) for row in shown) + self.line_end
        data = text.encode()
        path = folder / f"{stem}{self.ending}"
        path.write_bytes(gzip.compress(data, 1) if self.compressed else data)
        return path


@st.composite
def json_dialects(draw: st.DrawFn) -> JsonDialect:
    """All dialects of JSON that the documentation says are read."""
    array = draw(st.booleans())
    return JsonDialect(
        array=array,
        pretty=array and draw(st.booleans()),
        leave_out=draw(st.booleans()),
        ascii=draw(st.booleans()),
        line_end=draw(st.sampled_from(["\n", "\r\n"])),
        blank_lines=draw(st.booleans()),
        ending=draw(st.sampled_from([".json", ".jsonl", ".ndjson"])),
        compressed=draw(st.booleans()),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetDialect:
    """One way to write records as Parquet.

    Attributes:
        id_type: Of the ids: `text`, `large_text`, `dictionary`, `bytes`, `int64`, `float64`, `decimal`, `uuid`.
        group_size: Rows of a row group.
    """

    id_type: str = "text"
    group_size: int = 1000

    def write(self, folder: Path, stem: str, rows: Sequence[Row], ids: Sequence[str]) -> Path:
        """Write records to a file in a folder; `ids` are the names of the columns of ids."""
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        arrays = {
            name: self._ids(values) if name in ids else pa.array(values) for name, values in columns.items()
        }
        path = folder / f"{stem}.parquet"
        pq.write_table(pa.table(arrays), path, row_group_size=self.group_size)
        return path

    def _ids(self, values: list[Any]) -> Any:
        make = {
            "text": lambda: pa.array(values, pa.string()),
            "large_text": lambda: pa.array(values, pa.large_string()),
            "dictionary": lambda: pa.array(values, pa.string()).dictionary_encode(),
            "bytes": lambda: pa.array([v and v.encode() for v in values], pa.binary()),
            "int64": lambda: pa.array([v and int(v) for v in values], pa.int64()),
            "float64": lambda: pa.array([v and float(v) for v in values], pa.float64()),
            "decimal": lambda: pa.array([v and Decimal(v) for v in values], pa.decimal128(20, 0)),
            "uuid": lambda: pa.array([v and uuid.UUID(v).bytes for v in values], pa.uuid()),
        }
        return make[self.id_type]()


@st.composite
def parquet_dialects(draw: st.DrawFn, id_kind: str) -> ParquetDialect:
    """All dialects of Parquet that hold ids of a kind."""
    types = ["text", "large_text", "dictionary", "bytes"]
    types += {"number": ["int64", "float64", "decimal"], "long": ["int64", "decimal"], "uuid": ["uuid"]}.get(
        id_kind, []
    )
    return ParquetDialect(
        id_type=draw(st.sampled_from(types)), group_size=draw(st.sampled_from([1, 3, 1000]))
    )
