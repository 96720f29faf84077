"""Chunks of input files, each read by one task: byte ranges of text, row groups of Parquet."""

import csv
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.config import Config
from visrec.errors import DataError
from visrec.ingestion.files import InputFile

CHUNK_BYTES = 16 << 20
PIECE_BYTES = 32 << 20
"""Of the text of a compressed file, which is one chunk however large it is."""

_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A part of a file.

    Attributes:
        file: The file.
        fields: Names of all columns of the file; of a JSONL file the keys of its first rows.
        start: First byte, or first row group.
        end: Byte after the last, or row group after the last. A line belongs to the chunk that holds its first byte.
        delimiter: Between the fields of a CSV file.
    """

    file: InputFile
    fields: tuple[str, ...]
    start: int
    end: int
    delimiter: str = ","


def split_into_chunks(files: Sequence[InputFile], *, chunk_bytes: int = CHUNK_BYTES) -> list[Chunk]:
    """All chunks of the files, in order. Opens each file for its column names.

    A compressed text file is one chunk. Files without any byte have none.

    Raises:
        DataError: A file is not UTF-8 text or no Parquet; names it.
    """
    with ThreadPoolExecutor(16) as pool:
        per_file = list(pool.map(lambda file: list(_cut_file(file, chunk_bytes)), files))
    return [chunk for chunks in per_file for chunk in chunks]


def mapped_columns(columns: Config) -> dict[str, str]:
    """Role and column name of the columns that the input has, from a config of column names."""
    return {role: name for role, name in columns.model_dump().items() if name is not None}


def check_columns(chunks: Sequence[Chunk], columns: Mapping[str, str], *, setting: str) -> None:
    """Check that every file has every mapped column, once.

    Args:
        chunks: Chunks of all files.
        columns: Role and column name.
        setting: Where the mapping is configured, such as `ingest.interactions.columns`.

    Raises:
        DataError: A column is missing or there twice; names the setting, the file, its columns and the nearest name.
    """
    for fields, name in {chunk.fields: chunk.file.location.name for chunk in reversed(chunks)}.items():
        for role, column in columns.items():
            if column not in fields:
                close = difflib.get_close_matches(column, fields, n=1) or difflib.get_close_matches(
                    role, fields, n=1
                )
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise DataError(
                    f"{setting}.{role}: expected a column of {name} ({', '.join(fields)}), got {column!r}{hint}"
                )
            if fields.count(column) > 1:
                raise DataError(
                    f"{setting}.{role}: expected one column {column!r}, {name} has {fields.count(column)}"
                )


def read_pieces(chunk: Chunk, *, piece_bytes: int | None = PIECE_BYTES) -> Iterator[bytes]:
    """The bytes of the chunk's lines. Each piece but the last ends with a line end.

    Only compressed files come in several pieces, of about `piece_bytes`; None gives these too as one.

    The first piece of a file begins with its first line, the header of a CSV file included, without a byte-order mark.

    Raises:
        OSError: The file cannot be read, or its compression is damaged.
    """
    blocks = _read_compressed(chunk, piece_bytes) if chunk.file.compressed else _read_range(chunk)
    for number, piece in enumerate(blocks):
        yield piece.removeprefix(_BOM) if chunk.start == 0 and number == 0 else piece


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


def _cut_file(file: InputFile, chunk_bytes: int) -> Iterator[Chunk]:
    if file.format == "parquet":
        yield from _cut_parquet(file, chunk_bytes)
        return
    head = _head(file)
    if not head:
        return
    fields, delimiter = _csv_fields(head) if file.format == "csv" else (_json_fields(head), ",")
    if file.compressed:
        yield Chunk(file=file, fields=fields, start=0, end=file.size, delimiter=delimiter)
        return
    for start in range(0, file.size, chunk_bytes):
        yield Chunk(
            file=file,
            fields=fields,
            start=start,
            end=min(start + chunk_bytes, file.size),
            delimiter=delimiter,
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


def _head(file: InputFile) -> bytes:
    """The first bytes, without a byte-order mark."""
    try:
        with file.location.filesystem.open_input_stream(file.location.path) as stream:
            head = bytes(stream.read(1 << 18))
    except OSError as error:
        raise DataError(f"{file.location} cannot be read: {error}") from None
    encoding = _OTHER_ENCODINGS.get(head[:2]) or ("binary data" if b"\0" in head[:4096] else None)
    if encoding:
        raise DataError(
            f"expected UTF-8 text in {file.location}, found {encoding}; convert it, e.g. with iconv -t UTF-8"
        )
    return head.removeprefix(_BOM)


def _csv_fields(head: bytes) -> tuple[tuple[str, ...], str]:
    line = head.splitlines()[0].decode("utf-8", errors="replace") if head.strip() else ""
    delimiter = max(",\t;|", key=line.count)
    return tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])), delimiter


def _json_fields(head: bytes) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for line in head.splitlines()[:1000]:
        try:
            row = json.loads(line)
        except ValueError:  # a malformed row, recorded when the chunk is read; or the cut-off last line
            continue
        if isinstance(row, dict):
            names.update(dict.fromkeys(row))
    return tuple(names)


def _read_compressed(chunk: Chunk, piece_bytes: int | None) -> Iterator[bytes]:
    location = chunk.file.location
    unfinished = b""
    # pyarrow decompresses by the ending of the file name
    with location.filesystem.open_input_stream(location.path) as stream:
        if piece_bytes is None:
            yield bytes(stream.read())
            return
        while block := stream.read(piece_bytes):
            data = unfinished + bytes(block)
            end = data.rfind(b"\n") + 1
            unfinished = data[end:]
            if end:
                yield data[:end]
    if unfinished:
        yield unfinished


def _read_range(chunk: Chunk) -> Iterator[bytes]:
    location = chunk.file.location
    with location.filesystem.open_input_file(location.path) as file:
        start = chunk.start
        if start:
            # The line that holds the byte before belongs to the chunk before; it ends at the first line end from there.
            file.seek(start - 1)
            start = _after_line(file, chunk.file.size)
        if start >= chunk.end:
            return
        file.seek(chunk.end - 1)
        end = _after_line(file, chunk.file.size)
        file.seek(start)
        yield bytes(file.read(end - start))


def _after_line(file: Any, size: int) -> int:
    """Position after the first line end at or after the current position."""
    position = int(file.tell())
    while block := file.read(1 << 16):
        found = block.find(b"\n")
        if found >= 0:
            return position + int(found) + 1
        position += len(block)
    return size
