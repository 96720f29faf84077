"""The pictures that a column of the catalogue names: paths and URIs, or bytes; one of them in a cell, or several."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from visrec.data.catalogue.sources import CellPicture, FilePicture, PictureSource
from visrec.data.reading.chunks import Chunk
from visrec.data.reading.values import text
from visrec.storage import Location

_ROWS_AT_A_TIME = 32


def holds_bytes(chunk: Chunk, column: str) -> bool:
    """Whether the column holds pictures themselves, or lists of them."""
    if chunk.file.format != "parquet":
        return False
    kind = _type(chunk, column)
    return _is_bytes(kind.value_type if _is_list(kind) else kind)


def cells(chunk: Chunk, column: str) -> list[Sequence[PictureSource]]:
    """The pictures of each row of a Parquet file, where the column holds bytes.

    Lists are read here to count them, a few rows at a time; the bytes themselves are read again where they are decoded.
    """
    location = chunk.file.location
    if _is_list(_type(chunk, column)):
        return [
            pictures for group in range(chunk.start, chunk.end) for pictures in _lists(chunk, column, group)
        ]
    metadata = pq.read_metadata(location.path, filesystem=location.filesystem)
    return [
        [CellPicture(location, column, group, row)]
        for group in range(chunk.start, chunk.end)
        for row in range(metadata.row_group(group).num_rows)
    ]


def paths(column: Any, folder: Location | None, separator: str | None) -> list[Sequence[PictureSource]]:
    """The pictures of each row, where the column holds paths and URIs: a list, or text.

    Text is one path, a JSON list (so do JSONL files give a list), or several split at the separator.
    """
    if _is_list(column.type):
        named = [[str(path) for path in row or [] if path] for row in column.to_pylist()]
    else:
        named = [_split(value, separator) for value in text(column)[0].to_pylist()]
    return [[FilePicture(folder, path) for path in row] for row in named]


def _lists(chunk: Chunk, column: str, group: int) -> Iterator[Sequence[PictureSource]]:
    location = chunk.file.location
    first = 0
    with location.filesystem.open_input_file(location.path) as stream:
        file = pq.ParquetFile(stream)
        for batch in file.iter_batches(_ROWS_AT_A_TIME, row_groups=[group], columns=[column]):
            lists = batch.column(0).cast(pa.list_(batch.column(0).type.value_type))
            there = np.asarray(pc.is_valid(pc.list_flatten(lists)))
            rows = np.asarray(pc.list_parent_indices(lists))
            bounds = np.searchsorted(rows, np.arange(batch.num_rows + 1))
            for row, (begin, end) in enumerate(pairwise(bounds)):
                places = np.flatnonzero(there[begin:end]).tolist()
                yield [CellPicture(location, column, group, first + row, place) for place in places]
            first += batch.num_rows


def _split(value: str | None, separator: str | None) -> list[str]:
    if value is None:
        return []
    if value.startswith("["):
        try:
            return [str(path) for path in json.loads(value) if path]
        except (ValueError, RecursionError):
            pass  # a name that begins with a bracket
    parts = [value] if separator is None else value.split(separator)
    return [part.strip() for part in parts if part.strip()]


def _type(chunk: Chunk, column: str) -> Any:
    schema = pq.read_schema(chunk.file.location.path, filesystem=chunk.file.location.filesystem)
    return schema.field(column).type


def _is_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
