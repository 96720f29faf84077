"""Common corruptions of pictures (after Hendrycks and Dietterich 2019): JPEG, blur, noise, brightness."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from visrec.config.evaluation import CorruptionName, Severity
from visrec.data.images import PictureRows
from visrec.models.item_inputs import Pictures
from visrec.robustness.plan import Corruption

Pixels = NDArray[np.uint8]

SETTINGS: dict[CorruptionName, dict[Severity, float]] = {
    "jpeg": {"mild": 60, "medium": 30, "strong": 10},
    "blur": {"mild": 0.01, "medium": 0.02, "strong": 0.04},
    "noise": {"mild": 5, "medium": 10, "strong": 20},
    "brightness": {"mild": 0.8, "medium": 0.6, "strong": 0.4},
}
"""JPEG quality, blur radius as a share of the height, deviation of the noise, factor of the brightness."""

_DESCRIPTIONS: dict[CorruptionName, str] = {
    "jpeg": "JPEG quality {:g}",
    "blur": "Gaussian blur, radius {:.0%} of the height",
    "noise": "Gaussian noise, deviation {:g} of 255",
    "brightness": "brightness times {:g}",
}


def describe(name: CorruptionName, severity: Severity) -> str:
    """A corruption in words.

    Example:
        >>> describe("jpeg", "strong")
        'JPEG quality 10'
    """
    return _DESCRIPTIONS[name].format(SETTINGS[name][severity])


def corrupt(
    images_NHWC: Pixels,
    name: CorruptionName,
    severity: Severity,
    *,
    numbers: NDArray[np.integer[Any]],
    seed: int,
) -> Pixels:
    """Corrupted copies of pictures, uint8 [N, H, W, 3].

    Args:
        images_NHWC: uint8 pictures.
        name: Corruption.
        severity: Its strength.
        numbers: An id of each picture. The noise depends on it and on `seed`, and not on the batch.
        seed: Of the noise.
    """
    assert images_NHWC.dtype == np.uint8 and len(images_NHWC) == len(numbers), images_NHWC.shape
    value, change = SETTINGS[name][severity], _CHANGES[name]
    corrupted = np.empty_like(images_NHWC)
    for row, number in enumerate(numbers.tolist()):
        corrupted[row] = change(images_NHWC[row], value, np.random.default_rng((seed, number)))
    return corrupted


@dataclass(frozen=True, kw_only=True)
class CorruptedPictures:
    """The pictures of a snapshot, corrupted as they are read: an implementation of `ItemInputs`."""

    pictures: Pictures
    corruption: Corruption
    seed: int
    start: int = 0

    @property
    def rows(self) -> PictureRows:
        """The rows of each item."""
        return self.pictures.rows

    def read(self, rows_P: NDArray[np.int32]) -> NDArray[np.uint8]:
        """See `ItemInputs.read`."""
        return corrupt(
            self.pictures.read(rows_P),
            self.corruption.name,
            self.corruption.severity,
            numbers=self._numbers_R[rows_P],
            seed=self.seed,
        )

    @cached_property
    def _numbers_R(self) -> NDArray[np.int64]:
        """Id of each row's picture for the noise: the item index for a main picture, a number beyond those else."""
        numbers_R = np.arange(len(self.pictures.images)) + len(self.rows)
        items = np.flatnonzero(self.rows.has_picture_I)
        numbers_R[self.rows.main_I[items]] = items
        return numbers_R


def _jpeg(pixels: Pixels, quality: float, rng: np.random.Generator) -> Pixels:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=int(quality))
    with Image.open(stream) as image:
        return np.asarray(image.convert("RGB"))


def _blur(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    radius = share * pixels.shape[0]
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _noise(pixels: Pixels, std: float, rng: np.random.Generator) -> Pixels:
    noisy = pixels + rng.normal(0.0, std, pixels.shape)
    return np.asarray(np.rint(noisy).clip(0, 255), np.uint8)


def _brightness(pixels: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(factor))


_CHANGES: dict[CorruptionName, Callable[[Pixels, float, np.random.Generator], Pixels]] = {
    "jpeg": _jpeg,
    "blur": _blur,
    "noise": _noise,
    "brightness": _brightness,
}
