import numpy as np
import pytest

from visrec.evaluation.pairs import ScoredPairs, best_threshold, classify_pairs


def test_threshold_with_the_best_f1() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5], np.float32)
    labels = np.array([False, False, True, False, True])
    # From 0.3 on: precision 2/3, recall 1, F1 0.8; from 0.5 on: precision 1, recall 1/2, F1 0.67.
    assert best_threshold(scores, labels) == pytest.approx(0.3)


def test_each_half_is_judged_by_the_other_halfs_threshold() -> None:
    # Alone, each half is told apart perfectly, but at other heights: 2 there, 12 here.
    pairs = ScoredPairs(
        scores=np.array([1, 2, 11, 12], np.float32),
        labels=np.array([False, True, False, True]),
        folds=np.array([0, 0, 1, 1], np.int8),
    )
    found = classify_pairs(pairs)
    assert found is not None
    # The first half needs 12 and calls nothing positive; the second needs 2 and calls all positive.
    assert found.precision == pytest.approx(1 / 2)
    assert found.recall == pytest.approx(1 / 2)
    assert found.auc == pytest.approx(3 / 4)
    assert found.num_positives == 2


def test_perfect_scores() -> None:
    labels = np.arange(40) % 4 == 0
    found = classify_pairs(
        ScoredPairs(
            scores=labels.astype(np.float32), labels=labels, folds=(np.arange(40) // 20).astype(np.int8)
        )
    )
    assert found is not None
    assert {found.auc, found.average_precision, found.precision, found.recall, found.f1} == {1.0}


def test_too_few_pairs_to_judge() -> None:
    labels = np.array([True, False, False])
    assert (
        classify_pairs(
            ScoredPairs(scores=np.zeros(3, np.float32), labels=labels, folds=np.array([0, 0, 1], np.int8))
        )
        is None
    )
