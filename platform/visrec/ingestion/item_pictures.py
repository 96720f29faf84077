"""Pictures of each item in a column with paths, URIs or bytes, one or several a row."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from visrec.ingestion.arrow_types import element_type, is_bytes_type, is_list_type, is_nested_type
from visrec.ingestion.cells import UnreadableCellError
from visrec.ingestion.chunks import Chunk
from visrec.ingestion.column_types import ColumnNames
from visrec.ingestion.picture_cells import EXPECTED, bytes_field, picture_names
from visrec.ingestion.picture_index import PictureIndex
from visrec.ingestion.picture_sources import CellPicture, FilePicture, PictureSource
from visrec.ingestion.values import text
from visrec.storage import Location

_ROWS_PER_BATCH = 32
_MOST_NOTES = 5
"""Pictures that are not there whose nearest name is looked for."""


def is_bytes_column(chunk: Chunk, column: str) -> bool:
    """Whether the column holds the bytes of pictures, or structs with them, or lists of either."""
    if chunk.file.format != "parquet" or column not in chunk.file_fields:
        return False
    kind = element_type(_type(chunk, column))
    return is_bytes_type(kind) or bytes_field(kind) is not None


def pictures_in_cells(
    chunk: Chunk, names: ColumnNames, folder: Location | None, index: PictureIndex
) -> list[Sequence[PictureSource]]:
    """Pictures of each row of a Parquet file, for a column of bytes, or of structs of bytes and a path.

    Lists and structs are read here to see what they hold, a few rows at a time; the bytes are read again when they are
    decoded. A struct without bytes stands for the file at its path.

    Args:
        chunk: Of the file.
        names: Names of the columns; the picture column is `image`.
        folder: Of the pictures.
        index: Of the folder.
    """
    location, column = chunk.file.location, names.names["image"]
    kind = _type(chunk, column)
    field = bytes_field(element_type(kind))
    if field is not None:
        at_paths = _Paths(folder, index)
        return [
            pictures
            for group in range(chunk.start, chunk.end)
            for pictures in _structs(chunk, names, group, field, at_paths)
        ]
    if is_list_type(kind):
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
    column: Any, folder: Location | None, separator: str | None, index: PictureIndex, names: ColumnNames
) -> list[Sequence[PictureSource]]:
    """Pictures of each row, for a column of paths and URIs: text, lists, mappings with a path or URI, or JSON of those.

    Text is one path, or several split at the separator. Paths that are not in the folder as they are written are looked
    for in its index.

    Raises:
        DataError: A cell holds something else; names setting, column, and what came.
    """
    named: list[list[str]] = []
    values = column if is_nested_type(column.type) else text(column)[0]
    for value in values.to_pylist():
        try:
            of_row = picture_names(value)
        except UnreadableCellError as error:
            raise names.error("image", expected=EXPECTED, got=str(error)) from None
        if separator is not None and isinstance(value, str) and of_row == [value]:
            of_row = [part.strip() for part in value.split(separator) if part.strip()]
        named.append(of_row)
    return _Paths(folder, index).find(named)


class _Paths:
    """Finds pictures by their paths; keeps count of the notes about those that are not there."""

    def __init__(self, folder: Location | None, index: PictureIndex) -> None:
        self._folder = folder
        self._index = index
        self._num_notes = 0

    def find(self, named: Sequence[Sequence[str]]) -> list[Sequence[PictureSource]]:
        """The pictures at some paths in the place of these."""
        folder = self._folder
        if folder is None:
            return [[FilePicture(folder=None, path=path) for path in row] for row in named]
        inside = _inside_folder({path for row in named for path in row}, folder, self._index)
        found = self._index.find_all(inside.values())
        sources: dict[str, FilePicture] = {}
        for path, name in inside.items():
            note = ""
            if name not in found and self._num_notes < _MOST_NOTES:
                nearest = self._index.nearest(name)
                note = f"; the nearest name in it is {nearest}" if nearest else "; no name in it is like it"
                self._num_notes += 1
            sources[path] = FilePicture(folder=folder, path=found.get(name, path), note=note)
        return [[sources.get(path) or FilePicture(folder=folder, path=path) for path in row] for row in named]


def _structs(
    chunk: Chunk, names: ColumnNames, group: int, field: str, at_paths: _Paths
) -> Iterator[Sequence[PictureSource]]:
    column = names.names["image"]
    for first, cells in _batches(chunk, column, group):
        for row, cell in enumerate(cells.to_pylist(), first):
            whole = CellPicture(
                file=chunk.file.location, column=column, row_group=group, row=row, field=field
            )
            yield list(_in_cell(cell, whole, names, at_paths))


def _in_cell(cell: Any, whole: CellPicture, names: ColumnNames, at_paths: _Paths) -> Iterator[PictureSource]:
    """The pictures of a struct or of a list of structs: bytes stay in the cell, other elements stand for a file."""
    elements = enumerate(cell) if isinstance(cell, list) else [(None, cell)]
    for place, element in elements:
        if element is None:
            continue
        if element[whole.field]:
            yield replace(whole, element=place)
            continue
        try:
            paths = picture_names({name: value for name, value in element.items() if name != whole.field})
        except UnreadableCellError as error:
            raise names.error("image", expected=EXPECTED, got=str(error)) from None
        yield from at_paths.find([paths])[0]


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
    for first, cells in _batches(chunk, column, group):
        lists = cells.cast(pa.list_(cells.type.value_type))
        present = np.asarray(pc.is_valid(pc.list_flatten(lists)))
        rows = np.asarray(pc.list_parent_indices(lists))
        bounds = np.searchsorted(rows, np.arange(len(lists) + 1))
        for row, (begin, end) in enumerate(pairwise(bounds), first):
            yield [
                CellPicture(
                    file=chunk.file.location, column=column, row_group=group, row=row, element=element
                )
                for element in np.flatnonzero(present[begin:end]).tolist()
            ]


def _batches(chunk: Chunk, column: str, group: int) -> Iterator[tuple[int, Any]]:
    """Cells of a row group, a few at a time, with the number of the first."""
    location = chunk.file.location
    first = 0
    with location.filesystem.open_input_file(location.path) as stream:
        file = pq.ParquetFile(stream)
        for batch in file.iter_batches(_ROWS_PER_BATCH, row_groups=[group], columns=[column]):
            yield first, batch.column(0)
            first += batch.num_rows


def _type(chunk: Chunk, column: str) -> Any:
    schema = pq.read_schema(chunk.file.location.path, filesystem=chunk.file.location.filesystem)
    return schema.field(column).type
