"""Pictures of each item in a column with paths, URIs or bytes, one or several a row."""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from visrec.ingestion.chunks import Chunk
from visrec.ingestion.picture_index import PictureIndex
from visrec.ingestion.picture_sources import CellPicture, FilePicture, PictureSource
from visrec.ingestion.values import split_list, text
from visrec.storage import Location

_ROWS_PER_BATCH = 32
_MOST_NOTES = 5
"""Pictures that are not there whose nearest name is looked for."""


def is_bytes_column(chunk: Chunk, column: str) -> bool:
    """Whether the column holds the bytes of pictures, or lists of them."""
    if chunk.file.format != "parquet":
        return False
    kind = _type(chunk, column)
    return _is_bytes(kind.value_type if _is_list(kind) else kind)


def pictures_in_cells(chunk: Chunk, column: str) -> list[Sequence[PictureSource]]:
    """Pictures of each row of a Parquet file, for a column of bytes.

    Lists are read here to count their elements, a few rows at a time; the bytes are read again when they are decoded.
    """
    location = chunk.file.location
    if _is_list(_type(chunk, column)):
        return [
            pictures for group in range(chunk.start, chunk.end) for pictures in _lists(chunk, column, group)
        ]
    metadata = pq.read_metadata(location.path, filesystem=location.filesystem)
    return [
        [CellPicture(file=location, column=column, row_group=group, row=row)]
        for group in range(chunk.start, chunk.end)
        for row in range(metadata.row_group(group).num_rows)
    ]


def pictures_at_paths(
    column: Any, folder: Location | None, separator: str | None, index: PictureIndex
) -> list[Sequence[PictureSource]]:
    """Pictures of each row, for a column of paths and URIs: lists, or text.

    Text is one path, a JSON list (to which the reader of JSONL turns a list), or several paths split at the separator.
    Paths that are not in the folder as they are written are looked for in its index.
    """
    if _is_list(column.type):
        named = [[str(path) for path in row or [] if path] for row in column.to_pylist()]
    else:
        named = [list(filter(None, split_list(value, separator))) for value in text(column)[0].to_pylist()]
    if folder is None:
        return [[FilePicture(folder=None, path=path) for path in row] for row in named]
    inside = _inside_folder({path for row in named for path in row}, folder, index)
    found = index.find_all(inside.values())
    notes = 0
    sources: dict[str, FilePicture] = {}
    for path, name in inside.items():
        note = ""
        if name not in found and notes < _MOST_NOTES:
            nearest = index.nearest(name)
            note = f"; the nearest name in it is {nearest}" if nearest else "; no name in it is like it"
            notes += 1
        sources[path] = FilePicture(folder=folder, path=found.get(name, path), note=note)
    return [[sources.get(path) or FilePicture(folder=folder, path=path) for path in row] for row in named]


def _inside_folder(paths: Collection[str], folder: Location, index: PictureIndex) -> dict[str, str]:
    """Names to look for in the folder: of all paths but those of other filesystems, and of files elsewhere."""
    prefix = folder.path.rstrip("/") + "/"
    names: dict[str, str] = {}
    for path in sorted(paths):
        if path.startswith(prefix):
            names[path] = path.removeprefix(prefix)
        elif path.startswith("/"):
            if not folder.is_local or not Location.parse(path).exists():
                names[path] = path
        elif "://" not in path or path.startswith(("http://", "https://")):
            names[path] = path
    return names


def _lists(chunk: Chunk, column: str, group: int) -> Iterator[Sequence[PictureSource]]:
    location = chunk.file.location
    first = 0
    with location.filesystem.open_input_file(location.path) as stream:
        file = pq.ParquetFile(stream)
        for batch in file.iter_batches(_ROWS_PER_BATCH, row_groups=[group], columns=[column]):
            lists = batch.column(0).cast(pa.list_(batch.column(0).type.value_type))
            present = np.asarray(pc.is_valid(pc.list_flatten(lists)))
            rows = np.asarray(pc.list_parent_indices(lists))
            bounds = np.searchsorted(rows, np.arange(batch.num_rows + 1))
            for row, (begin, end) in enumerate(pairwise(bounds)):
                yield [
                    CellPicture(
                        file=location, column=column, row_group=group, row=first + row, element=element
                    )
                    for element in np.flatnonzero(present[begin:end]).tolist()
                ]
            first += batch.num_rows


def _type(chunk: Chunk, column: str) -> Any:
    schema = pq.read_schema(chunk.file.location.path, filesystem=chunk.file.location.filesystem)
    return schema.field(column).type


def _is_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
