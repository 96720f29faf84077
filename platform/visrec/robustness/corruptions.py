"""Common corruptions: what happens to pictures without an attacker (after Hendrycks and Dietterich 2019)."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor
from torch.nn import functional

from visrec.attacks import MAX_PIXEL
from visrec.config.evaluation import CorruptionName, Severity

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


_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * MAX_PIXEL) ** 2, (0.03 * MAX_PIXEL) ** 2


def psnr(first_NHWC: Tensor, second_NHWC: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each pair in dB: [N]; infinite for equal pictures. Above 40 dB few people see a
    difference.

    Example: a difference of 255 everywhere is 0 dB.
        >>> psnr(torch.zeros(1, 4, 4, 3), torch.full((1, 4, 4, 3), 255.0))
        tensor([0.])
    """
    error_N = (first_NHWC.float() - second_NHWC.float()).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(MAX_PIXEL**2 / error_N)


def ssim(first_NHWC: Tensor, second_NHWC: Tensor) -> Tensor:
    """Structural similarity of each pair (Wang et al. 2004: Gaussian window of 11 pixels), mean over places and
    channels: [N]; 1 for equal pictures. Pictures smaller than the window are compared under a smaller one.
    """
    one, two = (x.float().permute(0, 3, 1, 2) for x in (first_NHWC, second_NHWC))
    window = _window(min(_WINDOW, *one.shape[2:])).to(one.device)

    def mean(x: Tensor) -> Tensor:
        return functional.conv2d(x, window.expand(x.shape[1], 1, -1, -1), groups=x.shape[1])

    mean_one, mean_two = mean(one), mean(two)
    var_one, var_two = mean(one * one) - mean_one**2, mean(two * two) - mean_two**2
    covariance = mean(one * two) - mean_one * mean_two
    luminance = (2 * mean_one * mean_two + _C1) / (mean_one**2 + mean_two**2 + _C1)
    structure = (2 * covariance + _C2) / (var_one + var_two + _C2)
    return (luminance * structure).mean(dim=(1, 2, 3))


def _window(size: int) -> Tensor:
    places = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    bell = torch.exp(-places.square() / (2 * _SIGMA**2))
    bell = bell / bell.sum()
    return bell.outer(bell)
