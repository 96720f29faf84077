"""Negatives sampled for a whole batch: frequencies, and the probability of a miss."""

import numpy as np
import pytest

from visrec.config import LossConfig
from visrec.training.negatives.sampled import SampledNegatives

CANDIDATES = np.array([1, 2, 4], np.int32)
COUNTS = np.array([9, 1, 4, 0, 25])


def test_popularity_is_a_power_of_the_counts() -> None:
    shares = [
        SampledNegatives.of(LossConfig(popularity_power=power), CANDIDATES, COUNTS).popularity_C
        for power in (0, 0.5, 1)
    ]
    np.testing.assert_allclose(shares, [[1 / 3] * 3, [1 / 8, 2 / 8, 5 / 8], [1 / 30, 4 / 30, 25 / 30]])


@pytest.mark.parametrize(("uniform", "popularity"), [(2, 0), (0, 3), (2, 3)])
def test_the_miss_probability_is_the_observed_frequency(uniform: int, popularity: int) -> None:
    loss = LossConfig(num_uniform_negatives=uniform, num_popularity_negatives=popularity)
    sampler = SampledNegatives.of(loss, CANDIDATES, COUNTS)
    generator = np.random.default_rng(0)
    draws = np.array([sampler.sample(generator) for _ in range(4000)])
    assert draws.shape == (4000, uniform + popularity)
    missed = [(draws != item).all(1).mean() for item in CANDIDATES]
    np.testing.assert_allclose(sampler.miss_probability_C(), missed, atol=0.03)


def test_no_draws_draw_nothing_and_miss_everything() -> None:
    sampler = SampledNegatives.of(LossConfig(), CANDIDATES, COUNTS)
    assert sampler.sample(np.random.default_rng(0)).tolist() == []
    assert sampler.miss_probability_C().tolist() == [1, 1, 1]
