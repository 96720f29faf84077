import numpy as np
import pytest
from tests.support.snapshots import sequences_of

from visrec.baselines.item_item import Ease

HISTORIES = [[0, 1], [0, 1, 2], [2], [1, 2]]
X = np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1], [0, 1, 1]], float)
LAMBDA = 2.0


def test_weights_are_those_of_the_definition() -> None:
    blocks = [sequences_of(HISTORIES[:1]), sequences_of(HISTORIES[1:])]
    inverse = np.linalg.inv(X.T @ X + LAMBDA * np.eye(3))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    assert Ease.fit(blocks, 3, regularisation=LAMBDA).weights == pytest.approx(expected, abs=1e-6)


def test_no_column_can_be_bettered() -> None:
    # Column j of B is a ridge regression of item j on the other items: the gradient vanishes off the diagonal.
    weights = Ease.fit([sequences_of(HISTORIES)], 3, regularisation=LAMBDA).weights.astype(float)
    gradient = X.T @ (X @ weights - X) + LAMBDA * weights
    assert gradient[~np.eye(3, dtype=bool)] == pytest.approx(0, abs=1e-5)


def test_scores_are_history_times_weights() -> None:
    scorer = Ease.fit([sequences_of(HISTORIES)], 3, regularisation=LAMBDA)
    histories = sequences_of([[0, 2], [1]])
    expected = np.array([[1, 0, 1], [0, 1, 0]]) @ scorer.weights
    assert scorer.score(histories, histories.times) == pytest.approx(expected)
