from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from visrec.config.evaluation import CorruptionName, Severity
from visrec.robustness.corruptions import SETTINGS, corrupt, describe

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
NAMES: tuple[CorruptionName, ...] = get_args(CorruptionName)
ITEMS = np.array([7, 3, 9])


@pytest.fixture
def pictures() -> NDArray[np.uint8]:
    smooth = np.linspace(0, 200, 32)[:, None] + np.linspace(0, 55, 32)
    noise = np.random.default_rng(0).normal(0, 30, (3, 32, 32, 3))
    return (smooth[None, :, :, None] + noise).clip(0, 255).astype(np.uint8)


def test_every_name_has_every_severity() -> None:
    assert tuple(SETTINGS) == NAMES
    assert all(tuple(row) == SEVERITIES for row in SETTINGS.values())
    assert [describe(name, "mild") for name in NAMES] == [
        "JPEG quality 60",
        "Gaussian blur, radius 1% of the height",
        "Gaussian noise, deviation 5 of 255",
        "brightness times 0.8",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_stronger_is_further_away(name: CorruptionName, pictures: NDArray[np.uint8]) -> None:
    errors = []
    for severity in SEVERITIES:
        changed = corrupt(pictures, name, severity, numbers=ITEMS, seed=0)
        assert changed.shape == pictures.shape and changed.dtype == np.uint8
        errors.append(np.square(changed.astype(float) - pictures).mean())
    assert 0 < errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_does_not_depend_on_its_batch(name: CorruptionName, pictures: NDArray[np.uint8]) -> None:
    whole = corrupt(pictures, name, "medium", numbers=ITEMS, seed=5)
    alone = corrupt(pictures[1:2], name, "medium", numbers=ITEMS[1:2], seed=5)
    assert np.array_equal(whole[1], alone[0])


def test_brightness_by_hand() -> None:
    grey = np.full((1, 4, 4, 3), 100, np.uint8)
    assert (corrupt(grey, "brightness", "medium", numbers=np.array([0]), seed=0) == 60).all()


def test_noise_follows_the_seed(pictures: NDArray[np.uint8]) -> None:
    first, second = (corrupt(pictures, "noise", "mild", numbers=ITEMS, seed=s) for s in (1, 2))
    assert not np.array_equal(first, second)
    flat = np.full((1, 64, 64, 3), 128, np.uint8)
    spread = corrupt(flat, "noise", "strong", numbers=np.array([0]), seed=0).std()
    assert spread == pytest.approx(20, rel=0.05)
