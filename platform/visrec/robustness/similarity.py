"""Similarity of two pictures: PSNR and SSIM. Pictures are [N, H, W, 3] on the scale from 0 to 255."""

import torch
from torch import Tensor
from torch.nn import functional

from visrec.attacks import MAX_PIXEL

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
    """Structural similarity of each pair (Wang et al. 2004: Gaussian window of 11 pixels), mean over positions and
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
    """Gaussian weights [size, size] that sum to 1."""
    offsets = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    bell = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    bell = bell / bell.sum()
    return bell.outer(bell)
