"""Closed-form solvers against direct solutions with dense matrices."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.snapshots import sequences_of

from visrec.data.snapshot import Sequences
from visrec.training.closed_form.solvers import (
    cooccurrence_factors,
    history_rows,
    ridge_map,
    transition_factors,
)

HISTORIES = [[0, 1, 2], [3], [2, 0, 3, 1]]


def test_a_row_of_history_decays_and_has_length_one() -> None:
    history, target = history_rows(sequences_of([[0, 1, 2], [3]]), 4, decay=0.5, num_lags=9)
    expected = np.array([[1, 0, 0, 0], np.array([0.5, 1, 0, 0]) / np.sqrt(1.25)])
    np.testing.assert_allclose(history.toarray(), expected)
    np.testing.assert_array_equal(target.toarray(), np.eye(4)[[1, 2]])


def test_num_lags_limits_the_history() -> None:
    history, _ = history_rows(sequences_of([[0, 1, 2, 3]]), 4, decay=1.0, num_lags=1)
    np.testing.assert_array_equal(history.toarray(), np.eye(4)[:3])


@given(st.floats(0.3, 1.0), st.floats(0.1, 50.0), st.floats(0.0, 1.0))
def test_with_all_factors_transitions_are_the_ridge_solution(
    decay: float, ridge: float, power: float
) -> None:
    block = sequences_of(HISTORIES)
    history, target = (part.toarray() for part in history_rows(block, 4, decay=decay, num_lags=9))
    solution = np.linalg.solve(history.T @ history + ridge * np.eye(4), history.T @ target)
    counts = np.bincount(block.items, minlength=4)
    factors = transition_factors(
        lambda: iter([block]),
        4,
        rank=4,
        ridge=ridge,
        popularity_power=power,
        decay=decay,
        max_length=9,
        seed=0,
    )
    found = factors.history_IR @ factors.target_IR.T
    np.testing.assert_allclose(found, solution / counts**power, atol=1e-5)


def test_blocks_of_users_add_up() -> None:
    def scores(blocks: list[Sequences]) -> NDArray[np.float32]:
        factors = transition_factors(
            lambda: iter(blocks),
            4,
            rank=4,
            ridge=1.0,
            popularity_power=0.0,
            decay=0.8,
            max_length=9,
            seed=0,
        )
        return np.asarray(factors.history_IR @ factors.target_IR.T)

    apart = [sequences_of([history]) for history in HISTORIES]
    np.testing.assert_allclose(scores([sequences_of(HISTORIES)]), scores(apart), atol=1e-6)


def test_cooccurrence_factors_project_a_history_as_the_decomposition_does() -> None:
    block = sequences_of([[0, 1, 2], [3, 1], [2, 0, 3, 1]])
    matrix = np.array([[1, 1, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]], float)
    counts = matrix.sum(0)
    normalised = matrix / np.sqrt(matrix.sum(1, keepdims=True)) / counts**0.5
    _, _, right = np.linalg.svd(normalised, full_matrices=False)
    factors = cooccurrence_factors(lambda: iter([block]), 4, rank=2, popularity_power=0.5, seed=0)
    np.testing.assert_allclose(factors.target_IR @ factors.target_IR.T, right[:2].T @ right[:2], atol=1e-5)
    scores = matrix @ factors.history_IR @ factors.target_IR.T / np.sqrt(matrix.sum(1, keepdims=True))
    np.testing.assert_allclose(scores, normalised @ right[:2].T @ right[:2], atol=1e-5)


def test_ridge_finds_a_linear_relation_and_a_strong_penalty_gives_zero() -> None:
    random = np.random.default_rng(0)
    features = random.normal(3.0, 2.0, (50, 3)).astype(np.float32)
    weight = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]])
    vectors = ((features - features.mean(0)) @ weight.T).astype(np.float32)
    counts = np.arange(1, 51, dtype=np.float32)
    found = ridge_map(features, vectors, counts, 1e-9)
    np.testing.assert_allclose(found.weight_DF, weight, atol=1e-4)
    np.testing.assert_allclose(features @ found.weight_DF.T + found.bias_D, vectors, atol=1e-3)
    assert np.abs(ridge_map(features, vectors, counts, 1e9).weight_DF).max() < 1e-4
