"""Common corruptions: what happens to pictures without an attacker (after Hendrycks and Dietterich 2019)."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from visrec.config.attack import CorruptionName, Severity

Pixels = NDArray[np.uint8]

SETTINGS: dict[CorruptionName, dict[Severity, float]] = {
    "jpeg": {"mild": 60, "medium": 30, "strong": 10},
    "blur": {"mild": 0.01, "medium": 0.02, "strong": 0.04},
    "noise": {"mild": 5, "medium": 10, "strong": 20},
    "brightness": {"mild": 0.8, "medium": 0.6, "strong": 0.4},
}
"""What a severity means."""

_WORDS: dict[CorruptionName, str] = {
    "jpeg": "JPEG quality {:g}",
    "blur": "Gaussian blur, radius {:.0%} of the height",
    "noise": "Gaussian noise, deviation {:g} of 255",
    "brightness": "brightness times {:g}",
}


def describe(name: CorruptionName, severity: Severity) -> str:
    """What is done, in words.

    Example:
        >>> describe("jpeg", "strong")
        'JPEG quality 10'
    """
    return _WORDS[name].format(SETTINGS[name][severity])


def corrupt(
    images_NHWC: Pixels,
    name: CorruptionName,
    severity: Severity,
    *,
    numbers: NDArray[np.integer[Any]],
    seed: int,
) -> Pixels:
    """Corrupted copies of pictures, uint8 [N, H, W, 3].

    The noise of a picture follows from `seed` and its number, so it does not matter in which batch it comes.
    """
    assert images_NHWC.dtype == np.uint8 and len(images_NHWC) == len(numbers), images_NHWC.shape
    value, change = SETTINGS[name][severity], _CHANGES[name]
    corrupted = np.empty_like(images_NHWC)
    for row, number in enumerate(numbers.tolist()):
        corrupted[row] = change(images_NHWC[row], value, np.random.default_rng((seed, number)))
    return corrupted


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
