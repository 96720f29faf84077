import numpy as np
import pytest

from visrec.evaluation.bootstrap import Interval, intervals, paired_intervals, resampled_means


def test_equal_seed_equal_interval() -> None:
    values = {"a": np.random.default_rng(0).random(50)}
    first = intervals(values, num_samples=100, seed=3)
    assert intervals(values, num_samples=100, seed=3) == first
    assert intervals(values, num_samples=100, seed=4) != first


def test_draws_are_those_of_the_published_protocol() -> None:
    values = np.random.default_rng(1).random((40, 1))
    draws = np.random.RandomState(7)
    expected = [values[draws.randint(0, 40, 40), 0].mean() for _ in range(70)]
    assert resampled_means(values, 70, 7)[:, 0] == pytest.approx(expected, abs=1e-12)


def test_the_interval_is_that_of_the_normal_law_for_many_users() -> None:
    values = np.random.default_rng(0).normal(size=2000)
    found = intervals({"a": values}, num_samples=2000, seed=0)["a"]
    half = 1.96 * values.std() / np.sqrt(2000)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_about_95_of_100_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        found = intervals({"a": rng.exponential(1.0, 60)}, num_samples=200, seed=seed)["a"]
        covered += found.low <= 1.0 <= found.high
    assert 176 <= covered <= 199


def test_identical_models_differ_by_exactly_0() -> None:
    rows = {f"m{k}": np.random.default_rng(k).random(33) for k in range(5)}
    found = paired_intervals(rows, rows, num_samples=150, seed=0)
    assert set(found.values()) == {Interval(mean=0.0, low=0.0, high=0.0)}


def test_pairing_finds_a_small_lead_that_separate_intervals_hide() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.random(300)
    ours = theirs + 0.01 + rng.normal(0, 0.01, 300)
    separate = intervals({"ours": ours, "theirs": theirs}, num_samples=500, seed=0)
    assert separate["ours"].low < separate["theirs"].high
    assert paired_intervals({"m": ours}, {"m": theirs}, num_samples=500, seed=0)["m"].low > 0


def test_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="one or more users"):
        intervals({"a": np.zeros(0)}, num_samples=10, seed=0)


def test_an_interval_as_text() -> None:
    lead = Interval(mean=0.02134, low=-0.0102, high=0.0324)
    assert str(lead) == "0.0213 [-0.0102, 0.0324]"
    assert f"{lead:+.2%}" == "+2.13% [-1.02%, +3.24%]"
