"""Where pictures are, and getting their bytes. Bytes are read where they are decoded, never in the driver."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from visrec.config.ingest import ImagesConfig
from visrec.data.decoding import DecodedPicture, decode_picture, make_thumbnail
from visrec.data.images import ROWS_PER_PART, write_images, write_thumbnails
from visrec.errors import DataError, PictureError
from visrec.ingest.quarantine import Reason, Reject
from visrec.storage import Location

_READ_AHEAD = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePicture:
    """A picture in a file of its own: a path (absolute, or relative to `folder`) or a URI."""

    folder: Location | None
    path: str

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
    place: int | None = None
    """Within the list that the cell holds; None where the cell is the picture itself."""

    def __str__(self) -> str:
        place = "" if self.place is None else f", place {self.place}"
        return f"{self.file}:{self.column}, row group {self.row_group}, row {self.row}{place}"


PictureSource = FilePicture | CellPicture


def read_pictures(sources: Sequence[PictureSource], *, max_bytes: int) -> Iterator[bytes | PictureError]:
    """The bytes of each picture, or why there are none, in order; a few at a time are in memory.

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
            yield from pool.map(lambda s: _read_file(s, max_bytes), sources[start : start + _READ_AHEAD])


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
        return PictureError("there is no such file", code=_code(Reason.NO_IMAGE))
    except (OSError, DataError, pa.ArrowException) as error:
        return PictureError(str(error), code=_code(Reason.IMAGE_UNREADABLE))


def _read_cells(sources: Sequence[CellPicture], max_bytes: int) -> Iterator[bytes | PictureError]:
    location, column, group = sources[0].file, sources[0].column, sources[0].row_group
    wanted = iter(sources)
    source = next(wanted, None)
    with location.filesystem.open_input_file(location.path) as stream:
        first = 0
        for batch in pq.ParquetFile(stream).iter_batches(_READ_AHEAD, row_groups=[group], columns=[column]):
            while source is not None and source.row < first + batch.num_rows:
                cell = batch.column(0)[source.row - first]
                picture = cell if source.place is None else cell.values[source.place]
                yield _cell(picture.as_py(), max_bytes)
                source = next(wanted, None)
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
    return reason.value.removeprefix("image_")


_DETAIL_LENGTH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureSums:
    """What mean and standard deviation follow from.

    Attributes:
        count: Pixels.
        total: Sum of each channel on the scale from 0 to 1, float64 [3].
        squares: Sum of its squares, float64 [3].
    """

    count: int
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> "PictureSums":
        """Sums of pictures [N, H, W, 3]."""
        histograms = [np.bincount(pixels[..., c].ravel(), minlength=256) for c in range(3)]
        levels = np.arange(256) / 255.0
        total = np.array([h @ levels for h in histograms])
        return cls(
            count=pixels[..., 0].size, total=total, squares=np.array([h @ levels**2 for h in histograms])
        )

    def __add__(self, other: "PictureSums") -> "PictureSums":
        return PictureSums(
            count=self.count + other.count,
            total=self.total + other.total,
            squares=self.squares + other.squares,
        )

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel."""
        return tuple(float(x) for x in self.total / max(self.count, 1))

    @property
    def std(self) -> tuple[float, ...]:
        """Of each channel; never 0, so that one may divide by it."""
        mean = self.total / max(self.count, 1)
        return tuple(float(x) for x in np.sqrt(np.maximum(self.squares / max(self.count, 1) - mean**2, 1e-6)))


@dataclass(frozen=True, kw_only=True, slots=True)
class PartResult:
    """What became of the pictures of some parts.

    Attributes:
        num_rows: Pictures tried.
        bad_rows: Rows of the image store without a picture.
        rejects: Why, in the same order.
        sums: Over the good pictures.
    """

    num_rows: int
    bad_rows: list[int]
    rejects: list[Reject]
    sums: PictureSums


def decode_and_store(
    sources: Sequence[PictureSource], part: int, folder: Location, config: ImagesConfig
) -> PartResult:
    """Decode pictures and write them as parts of `images/` and `thumbnails/` below `folder`.

    A picture that cannot be decoded leaves a black row.

    Args:
        sources: Pictures of the parts, all but the last part full.
        part: Number of the first part.
        folder: The snapshot's folder.
        config: Sizes and limits.
    """
    first = part * ROWS_PER_PART
    bad_rows: list[int] = []
    rejects: list[Reject] = []
    sums = PictureSums(count=0, total=np.zeros(3), squares=np.zeros(3))
    images = np.zeros((min(ROWS_PER_PART, len(sources)), config.height, config.width, 3), np.uint8)
    good = np.zeros(len(images), bool)
    thumbnails: list[bytes] = []
    black = make_thumbnail(Image.new("RGB", (config.width, config.height)), config.thumbnail_size)
    for k, data in enumerate(read_pictures(sources, max_bytes=config.max_bytes)):
        place = k % ROWS_PER_PART
        result = data if isinstance(data, PictureError) else _decode(data, config)
        good[place] = not isinstance(result, PictureError)
        if isinstance(result, PictureError):
            bad_rows.append(first + k)
            rejects.append(_reject(sources[k], result))
            thumbnails.append(black)
            images[place] = 0
        else:
            images[place] = result.pixels
            thumbnails.append(make_thumbnail(result.image, config.thumbnail_size))
        if place == ROWS_PER_PART - 1 or k == len(sources) - 1:
            number = part + k // ROWS_PER_PART
            write_images(folder / "images", number, images[: place + 1])
            write_thumbnails(folder / "thumbnails", number, thumbnails)
            sums += PictureSums.of(images[: place + 1][good[: place + 1]])
            thumbnails = []
    return PartResult(num_rows=len(sources), bad_rows=bad_rows, rejects=rejects, sums=sums)


def _decode(data: bytes, config: ImagesConfig) -> DecodedPicture | PictureError:
    try:
        return decode_picture(
            data,
            height=config.height,
            width=config.width,
            max_pixels=config.max_pixels,
            max_bytes=config.max_bytes,
            detail=max(512, config.thumbnail_size),
        )
    except PictureError as error:
        return error


def _reject(source: PictureSource, error: PictureError) -> Reject:
    code = error.code if error.code == Reason.NO_IMAGE else f"image_{error.code}"
    return Reject(
        source="images", location=str(source), reason=Reason(code), detail=str(error)[:_DETAIL_LENGTH]
    )
