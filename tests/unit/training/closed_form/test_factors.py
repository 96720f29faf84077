"""Closed-form solvers against direct solutions with dense matrices."""

import numpy as np
from tests.support.snapshots import sequences_of

from visrec.training.closed_form.solvers import cooccurrence_factors, ridge_map


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
