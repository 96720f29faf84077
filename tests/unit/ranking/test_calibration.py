import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.ranking.calibration import Calibration, Method, expected_calibration_error, reliability

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=4000)
LABELS = RNG.random(4000) < 1 / (1 + np.exp(-(2 * SCORES - 1)))


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_says_what_happens_on_new_examples(method: Method) -> None:
    told = Calibration.fit(SCORES[:2000], LABELS[:2000], method).apply(SCORES[2000:])
    assert expected_calibration_error(told, LABELS[2000:]) < 0.05
    raw = 1 / (1 + np.exp(-SCORES[2000:]))
    assert expected_calibration_error(told, LABELS[2000:]) < expected_calibration_error(raw, LABELS[2000:])


@pytest.mark.parametrize("method", ["isotonic", "platt"])
def test_the_order_is_kept_and_probabilities_are_such(method: Method) -> None:
    told = Calibration.fit(SCORES, LABELS, method).apply(np.linspace(-50, 50, 101))
    assert (np.diff(told) >= 0).all()
    assert (told >= 0).all() and (told <= 1).all()


def test_platt_finds_the_curve() -> None:
    told = Calibration.fit(SCORES, LABELS, "platt").apply(np.array([0.5]))
    assert told[0] == pytest.approx(0.5, abs=0.05)  # sigmoid(2 * 0.5 - 1)


def test_error_by_hand() -> None:
    probabilities = np.array([0.1, 0.3, 0.7, 0.9])
    labels = np.array([False, True, True, True])
    # Two bins: says .2, happens .5; says .8, happens 1.
    assert expected_calibration_error(probabilities, labels, num_bins=2) == pytest.approx(0.25)
    said, happened, share = reliability(probabilities, labels, num_bins=2)
    assert (said.tolist(), happened.tolist(), share.tolist()) == (
        [pytest.approx(0.2), 0.8],
        [0.5, 1.0],
        [0.5, 0.5],
    )


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_the_mean_is_calibrated_in_one_bin(labels: list[bool]) -> None:
    told = np.full(len(labels), np.mean(labels))
    assert expected_calibration_error(told, np.array(labels), num_bins=1) == pytest.approx(0, abs=1e-12)
