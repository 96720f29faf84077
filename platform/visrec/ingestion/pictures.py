"""Decoding of pictures into parts of the image store, with their mean and standard deviation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from visrec.config.ingest import ImagesConfig
from visrec.data.decoding import DecodedPicture, decode_picture, make_thumbnail
from visrec.data.images import write_images, write_thumbnails
from visrec.data.parts import ROWS_PER_PART
from visrec.errors import PictureError
from visrec.ingestion.picture_sources import PictureSource, read_pictures
from visrec.ingestion.quarantine import Reason, Reject
from visrec.storage import Location

_DETAIL_LENGTH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureSums:
    """Sums over pixels from which mean and standard deviation follow; sums of parts add up.

    Attributes:
        count: Pixels.
        total: Sum of each channel on the scale from 0 to 1, float64 [3].
        squares: Sum of its squares, float64 [3].
    """

    count: int
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def zero(cls) -> "PictureSums":
        """Sums of no picture."""
        return cls(count=0, total=np.zeros(3), squares=np.zeros(3))

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
    def mean(self) -> tuple[float, float, float]:
        """Of each channel."""
        red, green, blue = (self.total / max(self.count, 1)).tolist()
        return red, green, blue

    @property
    def std(self) -> tuple[float, float, float]:
        """Of each channel; at least 0.001, so that it can be divided by."""
        mean = self.total / max(self.count, 1)
        variance = np.maximum(self.squares / max(self.count, 1) - mean**2, 1e-6)
        red, green, blue = np.sqrt(variance).tolist()
        return red, green, blue


@dataclass(frozen=True, kw_only=True, slots=True)
class PartResult:
    """Result of decoding the pictures of some parts.

    Attributes:
        num_rows: Pictures tried.
        bad_rows: Rows of the image store whose picture could not be decoded.
        rejects: Why, in the same order.
        sums: Over the decoded pictures.
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
    bad_rows: list[int] = []
    rejects: list[Reject] = []
    sums = PictureSums.zero()
    images = np.zeros((min(ROWS_PER_PART, len(sources)), config.height, config.width, 3), np.uint8)
    decoded = np.zeros(len(images), bool)
    thumbnails: list[bytes] = []
    black = make_thumbnail(Image.new("RGB", (config.width, config.height)), config.thumbnail_size)
    for k, data in enumerate(read_pictures(sources, max_bytes=config.max_bytes)):
        place = k % ROWS_PER_PART
        picture = data if isinstance(data, PictureError) else _decode(data, config)
        decoded[place] = not isinstance(picture, PictureError)
        if isinstance(picture, PictureError):
            bad_rows.append(part * ROWS_PER_PART + k)
            rejects.append(_reject(sources[k], picture))
            thumbnails.append(black)
            images[place] = 0
        else:
            images[place] = picture.pixels
            thumbnails.append(make_thumbnail(picture.image, config.thumbnail_size))
        if place == ROWS_PER_PART - 1 or k == len(sources) - 1:
            number = part + k // ROWS_PER_PART
            write_images(folder / "images", number, images[: place + 1])
            write_thumbnails(folder / "thumbnails", number, thumbnails)
            sums += PictureSums.of(images[: place + 1][decoded[: place + 1]])
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
