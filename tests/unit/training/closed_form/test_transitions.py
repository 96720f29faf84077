"""Transitions in closed form against rows written by hand and direct solutions with dense matrices."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.snapshots import sequences_of

from visrec.config import TransitionsConfig
from visrec.data.snapshot import Sequences
from visrec.training.closed_form.decay import HistoryDecay
from visrec.training.closed_form.transitions import (
    history_rows,
    normal_equations,
    popularity_weights,
    request_gram,
    target_rows,
    transition_factors,
    user_rows,
)

HISTORIES = [[0, 1, 2], [3], [2, 0, 3, 1]]
LOGS = st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=5)


def scores(blocks: list[Sequences], *, rank: int = 4, half_life: float | None = 2.0, **config: Any) -> Any:
    """Item-item scores p q' of the factors."""
    factors = transition_factors(
        lambda: iter(blocks),
        4,
        TransitionsConfig(kind="transitions", **{"ridge": 1.0} | config),
        rank=rank,
        requests=HistoryDecay(half_life=half_life),
        max_length=9,
        seed=0,
    )
    return factors.history_IR @ factors.target_IR.T


def equations(histories: list[list[int]], **config: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gram without the ridge of 1, and the moment."""
    found = normal_equations(
        lambda: iter([sequences_of(histories)]),
        4,
        TransitionsConfig(kind="transitions", ridge=1.0, **config),
        requests=HistoryDecay(half_life=None),
        max_length=9,
    )
    return found.gram_II - np.eye(4), found.moment_II


def test_a_row_of_history_decays_and_has_length_one() -> None:
    history = history_rows(sequences_of([[0, 1, 2], [3]]), 4, decay=HistoryDecay(half_life=1.0), num_lags=9)
    expected = np.array([[1, 0, 0, 0], np.array([0.5, 1, 0, 0]) / np.sqrt(1.25)])
    np.testing.assert_allclose(history.toarray(), expected)


def test_num_lags_limits_the_history() -> None:
    history = history_rows(sequences_of([[0, 1, 2, 3]]), 4, decay=HistoryDecay(half_life=None), num_lags=1)
    np.testing.assert_array_equal(history.toarray(), np.eye(4)[:3])


def test_a_row_of_targets_is_the_next_event_and_those_after_it_decayed() -> None:
    block = sequences_of([[0, 1, 2, 1], [3], [3, 0]])
    windows = target_rows(block, 4, np.ones(7), decay=0.5, num_events=9)
    expected = np.array([[0, 1.25, 0.5, 0], [0, 0.5, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(windows.toarray(), expected)
    next_one = target_rows(block, 4, np.ones(7), decay=0.0, num_events=1)
    np.testing.assert_array_equal(next_one.toarray(), np.eye(4)[[1, 2, 1, 0]])


def test_a_target_weighs_less_the_more_positives_its_item_has_had() -> None:
    # Events are an hour apart: item 1 is chosen at hours 0, 1 (by two users, who count for each other) and 2.
    block = sequences_of([[1, 1, 0], [2, 1, 1]])
    found = popularity_weights(lambda: iter([block]), 4, power=1.0)
    np.testing.assert_allclose(found, [1, 1 / 3, 1, 1, 1 / 3, 1 / 4])
    windows = target_rows(block, 4, found, decay=0.5, num_events=2)
    expected = np.array([[0.5, 1 / 3, 0, 0], [1, 0, 0, 0], [0, 1 / 3 + 1 / 8, 0, 0], [0, 1 / 4, 0, 0]])
    np.testing.assert_allclose(windows.toarray(), expected)


def test_a_row_of_a_user_holds_different_items_once() -> None:
    items, targets = user_rows(sequences_of([[1, 0, 1], []]), 3, np.array([1.0, 0.5, 0.5]))
    np.testing.assert_array_equal(items.toarray(), [[1, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(targets.toarray(), [[0.5, 0.75, 0], [0, 0, 0]])


def test_a_blend_of_weight_0_is_transitions_and_of_weight_1_co_occurrence() -> None:
    block = sequences_of(HISTORIES)
    history = history_rows(block, 4, decay=HistoryDecay(half_life=None), num_lags=9).toarray()
    target = target_rows(block, 4, np.ones(8), decay=0.5, num_events=9).toarray()
    users = np.array([[1, 1, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1]])
    pure = (history.T @ history, history.T @ target), (users.T @ users, users.T @ users)
    for weight in (0.0, 0.3, 1.0):
        found = equations(HISTORIES, target_half_life=1.0, cooccurrence_weight=weight)
        for k in range(2):
            np.testing.assert_allclose(found[k], (1 - weight) * pure[0][k] + weight * pure[1][k], atol=1e-12)


def test_the_half_life_of_training_goes_before_that_of_a_request() -> None:
    blocks = [sequences_of(HISTORIES)]
    np.testing.assert_array_equal(scores(blocks, history_half_life=2.0, half_life=7.0), scores(blocks))


def test_the_next_item_alone_gives_the_factors_it_always_gave() -> None:
    expected = [
        [-0.036999814, 0.325365394, 0.117688581, 0.112886302],
        [-0.080231048, -0.004618444, 0.025519941, -0.041231278],
        [0.273061842, 0.019095464, -0.085763529, 0.141688377],
        [-0.064851336, 0.173885614, 0.078074023, 0.038209509],
    ]
    half_life = np.log(0.5) / np.log(0.8)
    found = scores([sequences_of(HISTORIES)], rank=2, half_life=half_life, popularity_power=0.5)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.floats(0.3, 20.0), st.floats(0.3, 9.0) | st.none(), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_with_all_factors_the_scores_are_the_ridge_solution(
    ridge: float, half_life: float | None, weight: float, power: float
) -> None:
    config: dict[str, Any] = {"target_half_life": half_life, "cooccurrence_weight": weight}
    gram, moment = equations(HISTORIES, **config)
    counts = np.bincount([item for history in HISTORIES for item in history])
    found = scores([sequences_of(HISTORIES)], half_life=None, ridge=ridge, popularity_power=power, **config)
    expected = np.linalg.solve(gram + ridge * np.eye(4), moment) / counts**power
    np.testing.assert_allclose(found, expected, atol=1e-5)


@given(LOGS, st.floats(0.0, 1.0))
def test_a_zero_diagonal_is_the_constrained_ridge_solution(histories: list[list[int]], weight: float) -> None:
    gram, moment = equations(histories, cooccurrence_weight=weight)
    found = scores([sequences_of(histories)], half_life=None, cooccurrence_weight=weight, zero_diagonal=True)
    np.testing.assert_allclose(np.diag(found), 0, atol=1e-5)
    # Off the diagonal the gradient of the objective is zero.
    gradient = (gram + np.eye(4)) @ found - moment
    np.testing.assert_allclose(gradient - np.diag(np.diag(gradient)), 0, atol=1e-4)


@settings(deadline=None)
@given(LOGS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_order_of_users_and_their_blocks_change_nothing(
    histories: list[list[int]], random: Any, size: int
) -> None:
    config: dict[str, Any] = {
        "target_half_life": 2.0,
        "cooccurrence_weight": 0.4,
        "target_popularity_power": 0.5,
    }
    shuffled = random.sample(histories, len(histories))
    parts = [sequences_of(shuffled[k : k + size]) for k in range(0, len(shuffled), size)]
    np.testing.assert_allclose(
        scores(parts, **config), scores([sequences_of(histories)], **config), atol=1e-5
    )


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_of_all_users_with_as_many_times_the_ridge_change_nothing(copies: int) -> None:
    config: dict[str, Any] = {"target_half_life": 2.0, "cooccurrence_weight": 0.4}
    once = scores([sequences_of(HISTORIES)], **config)
    np.testing.assert_allclose(
        scores([sequences_of(HISTORIES * copies)], ridge=copies, **config), once, atol=1e-5
    )


def test_the_gram_of_requests_is_of_the_latest_histories_and_a_diagonal_of_the_same_trace() -> None:
    block = sequences_of([[3, 0, 1], [], [2]])
    found = request_gram(lambda: iter([block]), 4, decay=HistoryDecay(half_life=1.0), max_length=2)
    latest = np.array([np.array([0.5, 1, 0, 0]) / np.sqrt(1.25), [0, 0, 1, 0]])
    np.testing.assert_allclose(found, latest.T @ latest + 2 / 4 * np.eye(4))
    np.testing.assert_array_equal(
        request_gram(lambda: iter([]), 4, decay=HistoryDecay(half_life=1.0), max_length=2), np.eye(4)
    )


def test_with_all_factors_the_truncation_changes_nothing() -> None:
    blocks = [sequences_of(HISTORIES)]
    for power in (0.0, 0.5):
        found = scores(blocks, truncation="requests", popularity_power=power)
        np.testing.assert_allclose(found, scores(blocks, popularity_power=power), atol=1e-5)


def test_truncation_for_requests_keeps_their_scores_best() -> None:
    blocks = [sequences_of(HISTORIES)]
    latest = np.array([[0.25, 0.5, 1, 0], [0, 0, 0, 1], [0.25, 1, 0.125, 0.5]])
    latest /= np.linalg.norm(latest, axis=1, keepdims=True)
    full = scores(blocks, half_life=1.0)
    lost = {
        kind: np.square(latest @ (scores(blocks, rank=2, half_life=1.0, truncation=kind) - full)).sum()
        for kind in ("fit", "requests")
    }
    assert lost["requests"] < lost["fit"]


def test_a_history_decays_by_time() -> None:
    # An hour between two events: with a half-life of one hour the one before the last weighs half.
    decay = HistoryDecay(half_life=None, half_life_hours=1)
    history = history_rows(sequences_of([[0, 1, 2]]), 3, decay=decay, num_lags=9).toarray()
    np.testing.assert_allclose(history[1], np.array([0.5, 1, 0]) / np.sqrt(1.25))
