import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.ranking.calibration import Calibration, Method, expected_calibration_error, reliability

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=4000)
LABELS = RNG.random(4000) < 1 / (1 + np.exp(-(2 * SCORES - 1)))


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_probabilities_of_new_examples_are_calibrated(method: Method) -> None:
    probabilities = Calibration.fit(SCORES[:2000], LABELS[:2000], method).apply(SCORES[2000:])
    assert expected_calibration_error(probabilities, LABELS[2000:]) < 0.05
    raw = 1 / (1 + np.exp(-SCORES[2000:]))
    assert expected_calibration_error(probabilities, LABELS[2000:]) < expected_calibration_error(
        raw, LABELS[2000:]
    )


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_probabilities_rise_with_the_score_and_lie_between_0_and_1(method: Method) -> None:
    probabilities = Calibration.fit(SCORES, LABELS, method).apply(np.linspace(-50, 50, 101))
    assert (np.diff(probabilities) >= 0).all()
    assert (probabilities >= 0).all() and (probabilities <= 1).all()


def test_platt_finds_the_curve() -> None:
    probabilities = Calibration.fit(SCORES, LABELS, "platt").apply(np.array([0.5]))
    assert probabilities[0] == pytest.approx(0.5, abs=0.05)  # sigmoid(2 * 0.5 - 1)


def test_error_by_hand() -> None:
    probabilities = np.array([0.1, 0.3, 0.7, 0.9])
    labels = np.array([False, True, True, True])
    # Two bins: predicted .2, observed .5; predicted .8, observed 1.
    assert expected_calibration_error(probabilities, labels, num_bins=2) == pytest.approx(0.25)
    predicted, observed, share = reliability(probabilities, labels, num_bins=2)
    assert (predicted.tolist(), observed.tolist(), share.tolist()) == (
        [pytest.approx(0.2), 0.8],
        [0.5, 1.0],
        [0.5, 0.5],
    )


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_the_mean_is_calibrated_in_one_bin(labels: list[bool]) -> None:
    probabilities = np.full(len(labels), np.mean(labels))
    assert expected_calibration_error(probabilities, np.array(labels), num_bins=1) == pytest.approx(
        0, abs=1e-12
    )
