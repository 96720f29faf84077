"""Pictures of each item: files named after it, or a column with paths, URIs or bytes, one or several a row."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs as pafs

from visrec.ingestion.chunks import Chunk
from visrec.ingestion.ids import natural_order
from visrec.ingestion.picture_sources import CellPicture, FilePicture, PictureSource
from visrec.ingestion.quarantine import Reason, Reject
from visrec.ingestion.values import split_list, text
from visrec.storage import Location

PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp", "gif")
"""In order of preference where an item has several files of its name."""

_ROWS_PER_BATCH = 32


def pictures_by_item(
    folder: Location, infos: Sequence[pafs.FileInfo]
) -> tuple[dict[str, list[FilePicture]], list[Reject]]:
    """Pictures of each item id by file name, and rejects for files of a name that another ending was preferred for.

    The file X.jpg comes first, then those of the folder X in the natural order of their names.

    Example:
        >>> infos = list_folder(folder, setting="ingest.images.path", sub_folders=True)      # doctest: +SKIP
        >>> [picture.path for picture in pictures_by_item(folder, infos)[0]["i7"]]           # doctest: +SKIP
        ['i7.jpg', 'i7/1.jpg', 'i7/2.jpg']
    """
    best: dict[str, tuple[int, str]] = {}  # of each stem: preference and name
    in_sub_folders: dict[str, list[str]] = {}
    rejects = []
    for info in infos:
        stem, ending = _stem_and_ending(str(info.base_name))
        if not stem or stem.startswith(".") or ending not in PICTURE_ENDINGS:
            continue
        sub_folder = _sub_folder(folder, info)
        if sub_folder is not None:
            in_sub_folders.setdefault(sub_folder, []).append(str(info.base_name))
            continue
        candidate = (PICTURE_ENDINGS.index(ending), str(info.base_name))
        kept = min(candidate, best.get(stem, candidate))
        if stem in best:
            dropped = max(candidate, best[stem])[1]
            rejects.append(
                Reject(
                    source="images",
                    location=str(folder / dropped),
                    reason=Reason.DUPLICATE_ITEM,
                    detail=f"{kept[1]} is taken",
                )
            )
        best[stem] = kept
    found = {stem: [FilePicture(folder=folder, path=name)] for stem, (_, name) in best.items()}
    for item, names in in_sub_folders.items():
        found.setdefault(item, []).extend(
            FilePicture(folder=folder, path=f"{item}/{name}") for name in _in_natural_order(names)
        )
    return found, rejects


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
    column: Any, folder: Location | None, separator: str | None
) -> list[Sequence[PictureSource]]:
    """Pictures of each row, for a column of paths and URIs: lists, or text.

    Text is one path, a JSON list (to which the reader of JSONL turns a list), or several paths split at the separator.
    """
    if _is_list(column.type):
        named = [[str(path) for path in row or [] if path] for row in column.to_pylist()]
    else:
        named = [list(filter(None, split_list(value, separator))) for value in text(column)[0].to_pylist()]
    return [[FilePicture(folder=folder, path=path) for path in row] for row in named]


def _stem_and_ending(name: str) -> tuple[str, str]:
    stem, _, ending = name.rpartition(".")
    return stem, ending.lower()


def _sub_folder(folder: Location, info: pafs.FileInfo) -> str | None:
    """Name of the folder below `folder` that the file is in; None for a file directly in it."""
    inner = str(info.path)[len(folder.path.rstrip("/")) + 1 :]
    return inner.rpartition("/")[0] or None


def _in_natural_order(names: Sequence[str]) -> list[str]:
    order = natural_order(pa.array([_stem_and_ending(name)[0] for name in names], pa.string()))
    return [names[k] for k in order]


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
