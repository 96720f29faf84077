"""Rows of a chunk in any format: the mapped columns, unvalidated, with the line of each row."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from visrec.errors import DataError
from visrec.ingestion.chunks import Chunk
from visrec.ingestion.csv_rows import csv_rows
from visrec.ingestion.json_rows import json_rows, jsonl_rows
from visrec.ingestion.pieces import PIECE_BYTES, read_pieces, read_text
from visrec.ingestion.raw_rows import RawRows

__all__ = ["RawRows", "csv_rows", "json_rows", "jsonl_rows", "parquet_rows", "read_rows"]


def read_rows(chunk: Chunk, columns: Mapping[str, str], *, whole: bool = False) -> Iterator[RawRows]:
    """Read the mapped columns of a chunk, in one piece or, of a large file that is one chunk, in several.

    Columns that the file does not have are those of its folders; of JSON rows without the key, too.

    Args:
        chunk: What to read.
        columns: Role and column name.
        whole: All rows in one piece.

    Raises:
        DataError: The file is damaged or cannot be read; names it.
    """
    from_folders = dict(chunk.folders)
    in_file = {
        role: name
        for role, name in columns.items()
        if name not in from_folders or chunk.file.format == "jsonl"
    }
    try:
        for raw in _file_rows(chunk, in_file, whole=whole):
            yield _with_folders(raw, columns, from_folders) if from_folders else raw
    except DataError as error:
        raise DataError(f"{chunk.file.location}: {error}") from None
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{chunk.file.location} cannot be read: {error}") from None


def _file_rows(chunk: Chunk, columns: Mapping[str, str], *, whole: bool) -> Iterator[RawRows]:
    if chunk.file.format == "parquet":
        yield parquet_rows(chunk, columns)
        return
    if chunk.dialect.objects:
        yield from json_rows(read_text(chunk), columns)
        return
    lines_before = 0
    for data in read_pieces(chunk, piece_bytes=None if whole else PIECE_BYTES):
        if chunk.file.format == "jsonl":
            raw = jsonl_rows(data, columns)
        else:
            num_before = max(0, chunk.dialect.num_before - lines_before) if chunk.start == 0 else 0
            raw = csv_rows(
                data,
                chunk.file_fields,
                columns,
                delimiter=chunk.dialect.delimiter,
                quoting=chunk.dialect.quoting,
                num_before=num_before,
            )
        yield raw.after(lines_before)
        lines_before += raw.num_lines


def _with_folders(raw: RawRows, columns: Mapping[str, str], folders: Mapping[str, str | None]) -> RawRows:
    """The rows with the columns of the folders; a value of the row itself comes first."""
    filled = dict(raw.columns)
    for role, name in columns.items():
        if name in folders:
            constant = pa.array([folders[name]], pa.string()).take(
                pa.array(np.zeros(len(raw.lines), np.int8))
            )
            filled[role] = pc.coalesce(filled[role], constant) if role in filled else constant
    here = frozenset(role for role, name in columns.items() if name in folders)
    return replace(raw, columns=filled, absent=raw.absent - here)


def parquet_rows(chunk: Chunk, columns: Mapping[str, str]) -> RawRows:
    """Read the mapped columns of the chunk's row groups.

    Raises:
        OSError: The file cannot be read.
        pyarrow.ArrowException: Its content is damaged.
    """
    location = chunk.file.location
    with location.filesystem.open_input_file(location.path) as stream:
        file = pq.ParquetFile(stream)
        table = file.read_row_groups(
            list(range(chunk.start, chunk.end)), columns=list(dict.fromkeys(columns.values()))
        )
    arrays = {role: _plain(table.column(name).combine_chunks()) for role, name in columns.items()}
    return RawRows(
        columns=arrays, lines=np.arange(1, table.num_rows + 1), malformed=[], num_lines=table.num_rows
    )


def _plain(array: pa.Array) -> pa.Array:
    """The same values without dictionary encoding, views and 64-bit offsets, which some compute functions lack."""
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type):
        return array.cast(pa.binary())
    return array
