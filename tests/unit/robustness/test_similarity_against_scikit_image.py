"""PSNR and SSIM against scikit-image, on random pictures."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from visrec.robustness.similarity import psnr, ssim


def test_psnr_and_ssim_are_those_of_scikit_image() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 256, (3, 32, 24, 3)).astype(np.uint8)
    second = (
        (first + rng.normal(0, (2, 10, 40), (32, 24, 3, 3)).transpose(3, 0, 1, 2))
        .clip(0, 255)
        .astype(np.uint8)
    )
    pair = torch.from_numpy(first), torch.from_numpy(second)
    expected_psnr = [peak_signal_noise_ratio(a, b) for a, b in zip(first, second, strict=True)]
    assert psnr(*pair).tolist() == pytest.approx(expected_psnr, rel=1e-5)
    # Their filter pads the picture; without its border of half a window both see the same windows.
    expected_ssim = []
    for a, b in zip(first, second, strict=True):
        _, whole = structural_similarity(
            a.astype(np.float64),
            b.astype(np.float64),
            channel_axis=-1,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            full=True,
        )
        expected_ssim.append(whole[5:-5, 5:-5].mean())
    assert ssim(*pair).tolist() == pytest.approx(expected_ssim, rel=1e-4)
