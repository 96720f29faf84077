import numpy as np
from tests.support.snapshots import sequences_of

from visrec.arrays import NO_ITEM
from visrec.evaluation.ranks import rank_targets, top_lists


def test_best_unseen_items_in_order() -> None:
    scores = np.array([[1, 5, 3, 4, 2]], np.float32)
    assert top_lists(scores, sequences_of([[1]]), 3).tolist() == [[3, 2, 4]]


def test_missing_and_refused_items_are_filled() -> None:
    scores = np.array([[1, np.nan, 3, -np.inf]], np.float32)
    assert top_lists(scores, sequences_of([[2]]), 6).tolist() == [[0, *[NO_ITEM] * 5]]


def test_candidates_keep_their_item_indices() -> None:
    scores = np.array([[9, 1, 8, 2]], np.float32)
    assert top_lists(scores, sequences_of([[0]]), 2, candidates=np.array([1, 3], np.int32)).tolist() == [
        [3, 1]
    ]


def test_agrees_with_the_places_of_all_items() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 4, (5, 20)).astype(np.float32)
    rows = [rng.permutation(20).tolist() for _ in range(5)]
    seen = sequences_of([row[:4] for row in rows])
    ranks = rank_targets(scores, seen, sequences_of([row[4:] for row in rows]))
    lists = top_lists(scores, seen, 7)
    for row in range(5):
        mine = ranks.row_P == row
        order = ranks.item_P[mine][np.argsort(ranks.rank_P[mine])]
        assert lists[row].tolist() == order[:7].tolist()
