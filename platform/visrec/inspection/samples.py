"""Samples of tables, read by ingestion's own readers, and profiles of their columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from visrec.errors import DataError
from visrec.ingestion.arrow_types import element_type, is_bytes_type, is_list_type
from visrec.ingestion.chunks import Chunk, split_into_chunks
from visrec.ingestion.files import InputFile
from visrec.ingestion.formats import RawRows, read_rows
from visrec.ingestion.id_text import id_texts, is_id_type
from visrec.ingestion.text_dialect import TextSettings
from visrec.ingestion.values import shown, text

WHOLE_BYTES = 32 << 20
"""Tables up to this size are read whole."""
_CHUNK_BYTES = 1 << 20
_MAX_CHUNKS = 16
_MAX_ROWS_OF_CHUNK = 20_000
_ID_BYTES = {"csv": 2 << 30, "parquet": 16 << 30, "jsonl": 512 << 20, "gz": 256 << 20}
"""Largest file, by its format, of which a column of ids is read whole."""
_NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_WHOLE_NUMBER = r"^-?[0-9]+$"


@dataclass(frozen=True, kw_only=True)
class Column:
    """Sampled values of a column.

    Attributes:
        name: Its name.
        values: pyarrow array as the reader gives it.
    """

    name: str
    values: Any

    @cached_property
    def texts(self) -> Any:
        """The values as text, missing ones left out; None for a type that has no text (lists, structs)."""
        try:
            return text(self.values)[0].drop_null()
        except DataError:
            return None

    @cached_property
    def ids(self) -> Any:
        """The values as canonical ids, null where there is none; None for a type that holds no ids."""
        return id_texts(self.values).values if is_id_type(self.values.type) else None

    @cached_property
    def distinct_ids(self) -> Any:
        """The different ids."""
        return pa.array([], pa.string()) if self.ids is None else pc.unique(self.ids).drop_null()

    @property
    def num_present(self) -> int:
        """Values that are not missing."""
        return len(self.values) - self.values.null_count if self.texts is None else len(self.texts)

    @cached_property
    def distinct_texts(self) -> list[str]:
        """The different texts, the most frequent first."""
        if self.texts is None or not len(self.texts):
            return []
        counts = pc.value_counts(self.texts).to_pylist()
        return [c["values"] for c in sorted(counts, key=lambda c: (-c["counts"], c["values"]))]

    def share_matching(self, pattern: str) -> float:
        """Share of the present values that match a regular expression; 0 where there is no text."""
        if self.texts is None or not len(self.texts):
            return 0.0
        return float(pc.mean(pc.match_substring_regex(self.texts, pattern).cast(pa.float64())).as_py())

    def share_equal(self, value: str) -> float:
        """Share of the present values that are this text."""
        if self.texts is None or not len(self.texts):
            return 0.0
        return float(pc.mean(pc.equal(self.texts, value).cast(pa.float64())).as_py())

    @cached_property
    def is_number(self) -> bool:
        """Whether (nearly) all values are numbers."""
        return self.share_matching(_NUMBER) > 0.99

    @cached_property
    def is_whole_number(self) -> bool:
        """Whether (nearly) all values are whole numbers."""
        return self.share_matching(_WHOLE_NUMBER) > 0.99

    @cached_property
    def example(self) -> str:
        """A value, shortened."""
        if self.texts is None:
            return f"({self.values.type})"
        return shorten(str(self.texts[0].as_py())) if len(self.texts) else ""


@dataclass(frozen=True, kw_only=True)
class TableSample:
    """Rows of a table: all of a small one, of a large one some from all over it.

    Attributes:
        columns: By name.
        chunks: What was read, to be read again by other rules.
        num_rows: Sampled rows.
        num_malformed: Sampled lines that could not be parsed.
        total_rows: Rows of the whole table; estimated where not `is_whole`.
        is_whole: Whether all rows were read.
    """

    columns: dict[str, Column]
    chunks: list[Chunk]
    num_rows: int
    num_malformed: int
    total_rows: int
    is_whole: bool


def sample_table(files: Sequence[InputFile], column_names: tuple[str, ...] | None = None) -> TableSample:
    """Sample the rows of a table that may lie in several files.

    Args:
        files: Of the table.
        column_names: Of a table without a header.

    Raises:
        DataError: A file cannot be read.
    """
    size = sum(f.size for f in files)
    # Small files are read in one piece, in which quoted values may hold line breaks.
    everything = split_into_chunks(
        files,
        chunk_bytes=WHOLE_BYTES if size <= WHOLE_BYTES else _CHUNK_BYTES,
        settings=TextSettings(column_names=column_names),
    )
    chunks = everything
    if size > WHOLE_BYTES:
        places = np.unique(np.linspace(0, len(everything) - 1, _MAX_CHUNKS).astype(int))
        chunks = [everything[k] for k in places]
    fields = tuple(dict.fromkeys(name for chunk in chunks for name in chunk.fields if name))
    parts = [(chunk, _read(chunk, whole=size <= WHOLE_BYTES)) for chunk in chunks]
    columns = {
        name: Column(name=name, values=_joined([_of(raw, name) for _, raw in parts])) for name in fields
    }
    num_rows = sum(len(raw.lines) for _, raw in parts)
    is_whole = size <= WHOLE_BYTES
    return TableSample(
        columns=columns,
        chunks=chunks,
        num_rows=num_rows,
        num_malformed=sum(len(raw.malformed) for _, raw in parts),
        total_rows=num_rows if is_whole else _estimated_rows(everything, parts),
        is_whole=is_whole,
    )


def whole_ids(files: Sequence[InputFile], name: str, column_names: tuple[str, ...] | None = None) -> Any:
    """The different ids of a column of a table, read whole; None where the table is too large for that.

    Raises:
        DataError: A file cannot be read.
    """
    chunks = split_into_chunks(files, settings=TextSettings(column_names=column_names))
    if any(c.file.size > _ID_BYTES["gz" if c.dialect.compression else c.file.format] for c in chunks):
        return None
    distinct = [
        pc.unique(id_texts(raw.columns[name]).values)
        for chunk in chunks
        for raw in read_rows(chunk, {name: name})
    ]
    return pc.unique(pa.concat_arrays(distinct)).drop_null() if distinct else pa.array([], pa.string())


def shorten(value: str, length: int = 40) -> str:
    """A value for people: in one line, at most `length` characters long."""
    return shown(" ".join(value.split()), length)


def _read(chunk: Chunk, *, whole: bool) -> RawRows:
    names = [name for name in dict.fromkeys(chunk.fields) if name and chunk.fields.count(name) == 1]
    if chunk.file.format == "parquet":
        names = _readable(chunk, names)
    raw = next(iter(read_rows(chunk, {name: name for name in names}, whole=whole)))
    if whole or len(raw.lines) <= _MAX_ROWS_OF_CHUNK:
        return raw
    return replace(
        raw,
        columns={name: values.slice(0, _MAX_ROWS_OF_CHUNK) for name, values in raw.columns.items()},
        lines=raw.lines[:_MAX_ROWS_OF_CHUNK],
    )


def _readable(chunk: Chunk, names: list[str]) -> list[str]:
    """Columns of a Parquet file without those of bytes, which may be pictures."""
    schema = pq.read_schema(chunk.file.location.path, filesystem=chunk.file.location.filesystem)
    return [name for name in names if not holds_bytes(schema.field(name).type)]


def holds_bytes(kind: Any) -> bool:
    """Whether a pyarrow type is bytes, a struct with bytes, or a list of such."""
    if is_list_type(kind):
        return holds_bytes(element_type(kind))
    if pa.types.is_struct(kind):
        return any(holds_bytes(field.type) for field in kind)
    return is_bytes_type(kind)


def _of(raw: RawRows, name: str) -> Any:
    return raw.columns[name] if name in raw.columns else pa.nulls(len(raw.lines))


def _joined(arrays: Sequence[Any]) -> Any:
    kinds = {a.type for a in arrays if not pa.types.is_null(a.type)}
    if not arrays or not kinds:
        return pa.nulls(sum(len(a) for a in arrays))
    if len(kinds) > 1:  # files of one table whose types differ
        return pa.concat_arrays([text(a)[0] for a in arrays])
    kind = kinds.pop()
    return pa.concat_arrays([a if a.type == kind else a.cast(kind) for a in arrays])


def _estimated_rows(everything: Sequence[Chunk], parts: Sequence[tuple[Chunk, RawRows]]) -> int:
    if everything[0].file.format == "parquet":
        files = {str(c.file.location): c.file.location for c in everything}
        return sum(pq.read_metadata(f.path, filesystem=f.filesystem).num_rows for f in files.values())
    lines = sum(raw.num_lines for _, raw in parts)
    compressed = any(c.dialect.compression for c, _ in parts)
    read = sum(min(c.end, c.file.size) - c.start for c, _ in parts)
    total = sum(c.end - c.start for c in everything)
    return lines if compressed or not read else int(lines * total / read)
