import numpy as np
from tests.support.snapshots import sequences_of

from visrec.evaluation.pairs import ScoredPairs, sample_users, scored_pairs


def test_every_unseen_candidate_is_an_example() -> None:
    scores = np.array([[1, 2, 3, np.nan], [4, 5, 6, 7]], np.float32)
    pairs = scored_pairs(scores, sequences_of([[0], [1, 2]]), sequences_of([[2], [3]]))
    assert pairs.labels.tolist() == [False, True, False, False, True]
    assert pairs.folds.tolist() == [0, 0, 0, 1, 1]
    assert pairs.scores[[0, 1, 3, 4]].tolist() == [2, 3, 4, 7]
    assert np.isfinite(pairs.scores).all()


def test_concatenation_of_nothing_is_empty() -> None:
    assert len(ScoredPairs.concatenate([]).scores) == 0


def test_users_are_drawn_by_the_seed() -> None:
    drawn = sample_users(100, num_candidates=10, max_pairs=200, seed=1)
    assert drawn.sum() == 20
    assert np.array_equal(drawn, sample_users(100, num_candidates=10, max_pairs=200, seed=1))
    assert sample_users(7, num_candidates=10, max_pairs=200, seed=1).all()
