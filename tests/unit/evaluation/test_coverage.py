import numpy as np
import pytest

from visrec.arrays import NO_ITEM
from visrec.evaluation.beyond_accuracy import coverage, gini, recommendation_counts


def test_counts_and_coverage() -> None:
    lists = np.array([[0, 2], [2, NO_ITEM]], np.int32)
    counts = recommendation_counts(lists, 4)
    assert counts.tolist() == [1, 0, 2, 0]
    assert coverage(counts) == 0.5


def test_gini_by_hand() -> None:
    assert gini(np.array([3, 3, 3])) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(0.75)
    # Mean absolute difference over twice the mean: (|1-3| * 2) / (2 * 2 * 2 * 2)
    assert gini(np.array([1, 3])) == pytest.approx(0.25)
    assert gini(np.zeros(3, np.int64)) == 0
