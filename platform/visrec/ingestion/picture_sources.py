"""Locations of pictures, and reading their bytes: files and URIs, or cells of a Parquet file."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from visrec.errors import DataError, PictureError
from visrec.ingestion.quarantine import Reason
from visrec.storage import Location

_READ_AHEAD = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePicture:
    """A picture in a file of its own: a path (absolute, or relative to `folder`) or a URI."""

    folder: Location | None
    path: str
    note: str = ""
    """What to add to the message where there is no such file."""

    def location(self) -> Location:
        """Where the file is.

        Raises:
            DataError: The URI is of no known filesystem.
        """
        if "://" in self.path or self.folder is None:
            return Location.parse(self.path)
        if self.path.startswith("/"):
            return Location(filesystem=self.folder.filesystem, path=self.path)
        return self.folder / self.path

    def __str__(self) -> str:
        return self.path if "://" in self.path or self.folder is None else str(self.location())


@dataclass(frozen=True, kw_only=True, slots=True)
class CellPicture:
    """A picture in a bytes column of a Parquet file."""

    file: Location
    column: str
    row_group: int
    row: int
    """Within the row group."""
    element: int | None = None
    """Within the list that the cell holds; None where the cell is the picture itself."""
    field: str | None = None
    """Of the struct that the cell or element is; None where it is the bytes themselves."""

    def __str__(self) -> str:
        element = "" if self.element is None else f", place {self.element}"
        return f"{self.file}:{self.column}, row group {self.row_group}, row {self.row}{element}"


PictureSource = FilePicture | CellPicture


def read_pictures(sources: Sequence[PictureSource], *, max_bytes: int) -> Iterator[bytes | PictureError]:
    """The bytes of each picture, or the error in their place, in order; a few pictures at a time are in memory.

    Cells of one row group that follow each other are read in one pass over it.
    """
    start = 0
    while start < len(sources):
        first = sources[start]
        end = start + 1
        while end < len(sources) and _same_run(first, sources[end]):
            end += 1
        run = sources[start:end]
        if isinstance(first, CellPicture):
            yield from _read_cells([c for c in run if isinstance(c, CellPicture)], max_bytes)
        else:
            yield from _read_files([f for f in run if isinstance(f, FilePicture)], max_bytes)
        start = end


def _same_run(a: PictureSource, b: PictureSource) -> bool:
    if isinstance(a, CellPicture) and isinstance(b, CellPicture):
        return (a.file, a.column, a.row_group) == (b.file, b.column, b.row_group)
    return isinstance(a, FilePicture) and isinstance(b, FilePicture)


def _read_files(sources: Sequence[FilePicture], max_bytes: int) -> Iterator[bytes | PictureError]:
    with ThreadPoolExecutor(8) as pool:
        for start in range(0, len(sources), _READ_AHEAD):
            yield from pool.map(
                lambda source: _read_file(source, max_bytes), sources[start : start + _READ_AHEAD]
            )


def _read_file(source: FilePicture, max_bytes: int) -> bytes | PictureError:
    if not source.path:
        return PictureError("the item has no picture", code=_code(Reason.NO_IMAGE))
    try:
        location = source.location()
        with location.filesystem.open_input_file(location.path) as file:
            size = int(file.size())
            if size > max_bytes:
                return _too_large(size, max_bytes)
            return bytes(file.read())
    except FileNotFoundError:
        looked = (
            f"there is no such file, looked for {source.path!r} in {source.folder}" if source.note else ""
        )
        return PictureError(f"{looked or 'there is no such file'}{source.note}", code=_code(Reason.NO_IMAGE))
    except (OSError, DataError, pa.ArrowException) as error:
        return PictureError(str(error), code=_code(Reason.IMAGE_UNREADABLE))


def _read_cells(sources: Sequence[CellPicture], max_bytes: int) -> Iterator[bytes | PictureError]:
    location, column, group = sources[0].file, sources[0].column, sources[0].row_group
    remaining = iter(sources)
    source = next(remaining, None)
    with location.filesystem.open_input_file(location.path) as stream:
        first = 0
        for batch in pq.ParquetFile(stream).iter_batches(_READ_AHEAD, row_groups=[group], columns=[column]):
            while source is not None and source.row < first + batch.num_rows:
                cell = batch.column(0)[source.row - first]
                picture = cell if source.element is None else cell.values[source.element]
                value = picture if source.field is None else picture[source.field]
                yield _cell(value.as_py(), max_bytes)
                source = next(remaining, None)
            first += batch.num_rows
            if source is None:
                return


def _cell(value: bytes | None, max_bytes: int) -> bytes | PictureError:
    if not value:
        return PictureError("the cell is empty", code=_code(Reason.NO_IMAGE))
    return _too_large(len(value), max_bytes) if len(value) > max_bytes else value


def _too_large(size: int, max_bytes: int) -> PictureError:
    return PictureError(f"expected at most {max_bytes:,} bytes, got {size:,}", code="too_large")


def _code(reason: Reason) -> str:
    """Code of a `PictureError` for a reason."""
    return reason.value.removeprefix("image_")
