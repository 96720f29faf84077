"""Chunks of input files, each read by one task: byte ranges of text, row groups of Parquet."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.config import Config
from visrec.errors import DataError
from visrec.ingestion.files import InputFile
from visrec.ingestion.headers import check_header
from visrec.ingestion.partitions import folder_columns, outside
from visrec.ingestion.text_dialect import PLAIN_TEXT, TextDialect, TextSettings, csv_dialect, json_dialect
from visrec.ingestion.text_head import read_head

CHUNK_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A part of a file.

    Attributes:
        file: The file.
        fields: Names of all columns of the file (of a JSONL file the keys of its first rows), and after them of the
            columns that only its folders have.
        start: First byte, or first row group.
        end: Byte after the last, or row group after the last. A line belongs to the chunk that holds its first byte.
        dialect: Of a text file.
        folders: Name and value of the folders `name=value` above the file, those left out whose column the file has (a
            JSONL file: whose key may be in any row).
    """

    file: InputFile
    fields: tuple[str, ...]
    start: int
    end: int
    dialect: TextDialect = PLAIN_TEXT
    folders: tuple[tuple[str, str | None], ...] = ()

    @property
    def file_fields(self) -> tuple[str, ...]:
        """Columns of a CSV or Parquet file itself."""
        return self.fields[: len(self.fields) - len(self.folders)]


def split_into_chunks(
    files: Sequence[InputFile], *, chunk_bytes: int = CHUNK_BYTES, settings: TextSettings | None = None
) -> list[Chunk]:
    """All chunks of the files, in order. Opens each file for its column names and its dialect.

    A text file that is compressed or in UTF-16 is one chunk. Files without any text have none.

    Args:
        files: The files.
        chunk_bytes: Size of a chunk.
        settings: Of text files.

    Raises:
        DataError: A file is no text or no Parquet; names it.
    """
    text = settings or TextSettings()
    with ThreadPoolExecutor(16) as pool:
        per_file = list(pool.map(lambda file: list(_cut_file(file, chunk_bytes, text)), files))
    return [chunk for chunks in per_file for chunk in chunks]


def mapped_columns(columns: Config) -> dict[str, str]:
    """Role and column name of the columns that the input has, from a config of column names."""
    return {role: name for role, name in columns.model_dump().items() if name is not None}


def check_columns(chunks: Sequence[Chunk], columns: Mapping[str, str], *, setting: str) -> None:
    """Check that every file has every mapped column, once. Keys of JSON are known only after reading: `check_keys`.

    Args:
        chunks: Chunks of all files.
        columns: Role and column name.
        setting: Where the mapping is configured, such as `ingest.interactions.columns`.

    Raises:
        DataError: A column is missing or there twice, or the header is a row; names the setting, the file, its columns
            and the nearest name.
    """
    for chunk in {chunk.fields: chunk for chunk in reversed(chunks)}.values():
        fields, name = chunk.fields, chunk.file.location.name
        if chunk.file.format == "jsonl":
            continue
        check_header(name, fields, chunk.dialect, columns, setting=setting)
        for role, column in columns.items():
            if column not in fields:
                raise DataError(
                    f"{setting}.{role}: expected a column of {name} ({', '.join(fields)}), got {column!r}"
                    f"{_nearest(column, role, fields)}{_about(chunk, setting)}"
                )
            if fields.count(column) > 1:
                raise DataError(
                    f"{setting}.{role}: expected one column {column!r}, {name} has {fields.count(column)}"
                )


def check_keys(
    chunks: Sequence[Chunk], columns: Mapping[str, str], absent: Iterable[frozenset[str]], *, setting: str
) -> None:
    """Check that every mapped key is in some row of some file, once all have been read.

    Args:
        chunks: Chunks of all files.
        columns: Role and column name.
        absent: Roles whose key no row had, of every piece that was read.
        setting: Where the mapping is configured, such as `ingest.interactions.columns`.

    Raises:
        DataError: No row has a mapped key; names the setting, the keys of the first rows and the nearest one.
    """
    pieces = list(absent)
    nowhere = frozenset.intersection(*pieces) if pieces else frozenset()
    for role in columns:
        if role in nowhere:
            fields = list(dict.fromkeys(field for chunk in chunks for field in chunk.fields))
            raise DataError(
                f"{setting}.{role}: expected a key of some row of {chunks[0].file.location.name} "
                f"({', '.join(fields)}), got {columns[role]!r}{_nearest(columns[role], role, fields)}"
            )


def _about(chunk: Chunk, setting: str) -> str:
    """Possible cause in the dialect of a CSV file."""
    if any("\ufffd" in field for field in chunk.file_fields):
        return "; its first line is no UTF-8: convert it, e.g. with iconv -t UTF-8"
    if chunk.file.format == "csv" and len(chunk.file_fields) < 2:
        source = setting.removesuffix(".columns")
        return f"; no delimiter was found in its first line, tell it in {source}.delimiter"
    return ""


def _nearest(column: str, role: str, fields: Sequence[str]) -> str:
    close = difflib.get_close_matches(column, fields, n=1) or difflib.get_close_matches(role, fields, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceLines:
    """Maps (chunk, line within the chunk) to `file:line`; known once all chunks have been read.

    Attributes:
        files: Path of each chunk's file.
        lines_before: Lines of the same file before each chunk, int64 [C].
    """

    files: tuple[str, ...]
    lines_before: NDArray[np.int64]

    @classmethod
    def of(cls, chunks: Sequence[Chunk], num_lines: Sequence[int]) -> "SourceLines":
        """From the number of lines of each chunk, in order."""
        before = np.zeros(len(chunks), np.int64)
        for k in range(1, len(chunks)):
            # A file may be in two logs, one after the other: each begins at its first line.
            if chunks[k].file == chunks[k - 1].file and chunks[k].start > chunks[k - 1].start:
                before[k] = before[k - 1] + num_lines[k - 1]
        return cls(files=tuple(str(c.file.location) for c in chunks), lines_before=before)

    def format(self, chunk: NDArray[np.int32], line: NDArray[np.int64]) -> Any:
        """`file:line` of each row, a pyarrow string array."""
        lines = self.lines_before[chunk] + line
        return pa.array(
            [f"{self.files[c]}:{k}" for c, k in zip(chunk.tolist(), lines.tolist(), strict=True)], pa.string()
        )


def _cut_file(file: InputFile, chunk_bytes: int, settings: TextSettings) -> Iterator[Chunk]:
    folders = folder_columns(file.location.path)
    head = read_head(file.location, settings.encoding) if file.format != "parquet" else None
    if head is None or head.is_parquet:
        file = replace(file, format="parquet")
        for chunk in _cut_parquet(file, chunk_bytes):
            further = outside(folders, chunk.fields)
            yield replace(chunk, fields=(*chunk.fields, *dict(further)), folders=further)
        return
    if head.complete and not head.text.strip():
        return
    if file.format == "csv":
        dialect, fields = csv_dialect(file.location, head, settings)
    else:
        dialect, fields = json_dialect(file.location, head)
    further = outside(folders, fields)
    for start in range(0, file.size, file.size if dialect.is_stream else chunk_bytes):
        yield Chunk(
            file=file,
            fields=(*fields, *dict(further)),
            start=start,
            end=file.size if dialect.is_stream else min(start + chunk_bytes, file.size),
            dialect=dialect,
            folders=further if file.format == "csv" else folders,
        )


def _cut_parquet(file: InputFile, chunk_bytes: int) -> Iterator[Chunk]:
    try:
        metadata = pq.read_metadata(file.location.path, filesystem=file.location.filesystem)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"expected a Parquet file at {file.location}: {error}") from None
    fields = tuple(metadata.schema.to_arrow_schema().names)
    start = size = 0
    for group in range(metadata.num_row_groups):
        size += metadata.row_group(group).total_byte_size
        if size >= chunk_bytes or group == metadata.num_row_groups - 1:
            yield Chunk(file=file, fields=fields, start=start, end=group + 1)
            start, size = group + 1, 0
