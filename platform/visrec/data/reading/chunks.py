"""Files cut into chunks of a size that one task reads: byte ranges of text, row groups of Parquet."""

import csv
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from visrec.data.reading.files import InputFile
from visrec.errors import DataError

CHUNK_BYTES = 16 << 20
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Chunk:
    """A part of a file.

    Attributes:
        file: The file.
        fields: Names of all columns of the file (of a JSONL file: the keys of its first rows).
        start: First byte, or first row group.
        end: Byte after the last, or row group after the last. A line belongs to the chunk that holds its first byte.
        delimiter: Between the fields of a CSV file.
        first_row: Parquet: rows of the file before this chunk.
    """

    file: InputFile
    fields: tuple[str, ...]
    start: int
    end: int
    delimiter: str = ","
    first_row: int = 0


def cut(files: Sequence[InputFile], *, chunk_bytes: int = CHUNK_BYTES) -> list[Chunk]:
    """All chunks of the files, in order. Opens each file once, for its column names.

    A compressed text file is one chunk. Files without any byte have none.

    Raises:
        DataError: A file is not UTF-8 text or no Parquet; names it.
    """
    with ThreadPoolExecutor(16) as pool:
        per_file = list(pool.map(lambda f: list(_cut_file(f, chunk_bytes)), files))
    return [chunk for chunks in per_file for chunk in chunks]


def _cut_file(file: InputFile, chunk_bytes: int) -> Iterator[Chunk]:
    if file.format == "parquet":
        yield from _cut_parquet(file, chunk_bytes)
        return
    head = _head(file)
    if not head:
        return
    fields, delimiter = _csv_fields(head) if file.format == "csv" else (_json_fields(head), ",")
    if file.compressed:
        yield Chunk(file, fields, 0, file.size, delimiter)
        return
    for start in range(0, file.size, chunk_bytes):
        yield Chunk(file, fields, start, min(start + chunk_bytes, file.size), delimiter)


def _cut_parquet(file: InputFile, chunk_bytes: int) -> Iterator[Chunk]:
    try:
        metadata = pq.read_metadata(file.location.path, filesystem=file.location.filesystem)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"expected a Parquet file at {file.location}: {error}") from None
    fields = tuple(metadata.schema.to_arrow_schema().names)
    start = first_row = rows = size = 0
    for group in range(metadata.num_row_groups):
        rows += metadata.row_group(group).num_rows
        size += metadata.row_group(group).total_byte_size
        if size >= chunk_bytes or group == metadata.num_row_groups - 1:
            yield Chunk(file, fields, start, group + 1, first_row=first_row)
            start, first_row, rows, size = group + 1, first_row + rows, 0, 0


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
