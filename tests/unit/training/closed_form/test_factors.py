"""Item factors from co-occurrence against a direct solution with a dense matrix."""

import numpy as np
from tests.support.snapshots import sequences_of

from visrec.training.closed_form.solvers import cooccurrence_factors


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
