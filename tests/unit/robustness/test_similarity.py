import pytest
import torch

from visrec.robustness.similarity import psnr, ssim


def test_psnr_by_hand() -> None:
    black = torch.zeros(2, 12, 12, 3, dtype=torch.uint8)
    other = black.clone()
    other[0] = 255
    other[1] = 8
    # Every pixel 8 of 255 away: 20 log10(255 / 8).
    assert psnr(black, other).tolist() == pytest.approx([0.0, 30.0690], abs=1e-4)
    assert psnr(black, black).tolist() == [torch.inf, torch.inf]


def test_ssim_of_plain_pictures_is_the_luminance_term() -> None:
    # No variance: (2 a b + c1) / (a^2 + b^2 + c1) with c1 = (0.01 * 255)^2 = 6.5025.
    one, two = torch.full((1, 12, 12, 3), 100.0), torch.full((1, 12, 12, 3), 110.0)
    assert ssim(one, two).item() == pytest.approx(
        (2 * 100 * 110 + 6.5025) / (100**2 + 110**2 + 6.5025), abs=1e-3
    )


def test_ssim_falls_with_noise_and_is_1_for_equal_pictures() -> None:
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 16, 16, 3, generator=generator) * 255
    noise = torch.randn(1, 16, 16, 3, generator=generator)
    values = [ssim(picture, picture + strength * noise).item() for strength in (0, 4, 40)]
    assert values[0] == pytest.approx(1, abs=1e-5)
    assert values[0] > values[1] > values[2] > 0


def test_pictures_smaller_than_the_window() -> None:
    assert ssim(torch.zeros(2, 6, 8, 3), torch.zeros(2, 6, 8, 3)).tolist() == pytest.approx([1, 1])
