"""One part of the image store: up to 512 pictures read, decoded once, and written with their thumbnails."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from visrec.config.ingest import ImagesInput
from visrec.data.catalogue.sources import PictureSource, read_pictures
from visrec.data.image_store import ROWS_PER_PART, write_images, write_thumbnails
from visrec.data.pictures import DecodedPicture, decode_picture, make_thumbnail
from visrec.data.quarantine import Reject
from visrec.data.reasons import Reason
from visrec.errors import PictureError
from visrec.storage import Location

_DETAIL_LENGTH = 200


@dataclass(frozen=True)
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
        return cls(pixels[..., 0].size, total, np.array([h @ levels**2 for h in histograms]))

    def __add__(self, other: "PictureSums") -> "PictureSums":
        return PictureSums(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each channel."""
        return tuple(float(x) for x in self.total / max(self.count, 1))

    @property
    def std(self) -> tuple[float, ...]:
        """Of each channel; never 0, so that one may divide by it."""
        mean = self.total / max(self.count, 1)
        return tuple(float(x) for x in np.sqrt(np.maximum(self.squares / max(self.count, 1) - mean**2, 1e-6)))


@dataclass(frozen=True)
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


def write_part(
    sources: Sequence[PictureSource], part: int, folder: Location, config: ImagesInput
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
    sums = PictureSums(0, np.zeros(3), np.zeros(3))
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
    return PartResult(len(sources), bad_rows, rejects, sums)


def _decode(data: bytes, config: ImagesInput) -> DecodedPicture | PictureError:
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
    return Reject("images", str(source), Reason(code), str(error)[:_DETAIL_LENGTH])
