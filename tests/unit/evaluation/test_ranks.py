import numpy as np
import pytest
from tests.support.snapshots import sequences_of

from visrec.evaluation.ranks import rank_targets, tie_order


def test_place_among_unseen_items() -> None:
    scores = np.array([[9, 8, 7, 6, 5]], np.float32)
    ranks = rank_targets(scores, sequences_of([[0, 2]]), sequences_of([[3]]))
    # Items 0 and 2 are seen, so only item 1 stands before item 3.
    assert ranks.rank_P.tolist() == [2]
    assert ranks.num_candidates_B.tolist() == [3]


def test_a_single_held_out_item_takes_the_middle_of_its_tie() -> None:
    scores = np.array([[5, 5, 5, 9, 0]], np.float32)
    ranks = rank_targets(scores, sequences_of([[4]]), sequences_of([[1]]))
    assert ranks.rank_P.tolist() == [3]  # one item before, then places 2, 3, 4 shared by three


def test_a_constant_scorer_is_in_the_middle() -> None:
    ranks = rank_targets(np.zeros((1, 12), np.float32), sequences_of([[11]]), sequences_of([[0]]))
    assert ranks.rank_P.tolist() == [6]  # of places 1 to 11


def test_ties_of_sets_follow_the_fixed_order() -> None:
    num_items = 7
    targets = sequences_of([[0, 1, 2, 3, 4, 5]])
    ranks = rank_targets(np.zeros((1, num_items), np.float32), sequences_of([[6]]), targets)
    order = tie_order(num_items)[:6]  # item 6 is seen
    expected = 1 + np.array([(order < place).sum() for place in order])
    assert ranks.rank_P.tolist() == expected.tolist()
    assert ranks.middle_rank_P.tolist() == [3.5] * 6


def test_set_valued_breaks_ties_of_single_items_too() -> None:
    scores, seen, targets = np.zeros((1, 6), np.float32), sequences_of([[5]]), sequences_of([[2]])
    place = tie_order(6)
    expected = 1 + sum(place[i] < place[2] for i in (0, 1, 3, 4))
    assert rank_targets(scores, seen, targets, set_valued=True).rank_P.tolist() == [expected]


def test_tie_order_is_the_published_one() -> None:
    assert np.argsort(tie_order(10)).tolist() == np.random.RandomState(0).permutation(10).tolist()


def test_only_candidates_are_ranked() -> None:
    scores = np.array([[9, 8, 7, 6, 5, 4]], np.float32)
    candidates = np.array([1, 3, 5], np.int32)
    ranks = rank_targets(scores, sequences_of([[0]]), sequences_of([[5, 3]]), candidates=candidates)
    assert ranks.rank_P.tolist() == [3, 2]
    assert ranks.num_candidates_B.tolist() == [3]


@pytest.mark.parametrize("refused", [np.nan, -np.inf])
def test_a_refused_item_has_no_place(refused: float) -> None:
    scores = np.array([[refused, 1, 2, refused]], np.float32)
    ranks = rank_targets(scores, sequences_of([[2]]), sequences_of([[0]]))
    assert ranks.rank_P.tolist() == [np.inf]
    assert ranks.middle_rank_P.tolist() == [2.5]  # shared with item 3, after item 1


def test_many_pairs_are_counted_in_chunks_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (6, 30)).astype(np.float32)
    rows = [rng.permutation(30).tolist() for _ in range(6)]
    seen, targets = sequences_of([r[:5] for r in rows]), sequences_of([r[5:12] for r in rows])
    whole = rank_targets(scores, seen, targets)
    monkeypatch.setattr("visrec.evaluation.ranks._CHUNK_ELEMENTS", 100)
    parts = rank_targets(scores, seen, targets)
    assert np.array_equal(whole.rank_P, parts.rank_P)
    assert np.array_equal(whole.middle_rank_P, parts.middle_rank_P)


def test_scores_are_left_as_they_were() -> None:
    scores = np.array([[1, np.nan, 3]], np.float32)
    rank_targets(scores, sequences_of([[0]]), sequences_of([[2]]))
    assert np.array_equal(scores, np.array([[1, np.nan, 3]], np.float32), equal_nan=True)


def test_mistakes_are_told() -> None:
    scores = np.zeros((1, 4), np.float32)
    with pytest.raises(ValueError, match="one row a user"):
        rank_targets(scores, sequences_of([[0], [1]]), sequences_of([[2], [3]]))
    with pytest.raises(ValueError, match="one or more held-out items"):
        rank_targets(scores, sequences_of([[0]]), sequences_of([[]]))
    with pytest.raises(ValueError, match="unseen candidates"):
        rank_targets(scores, sequences_of([[0]]), sequences_of([[0]]))
    with pytest.raises(ValueError, match="unseen candidates"):
        rank_targets(scores, sequences_of([[0]]), sequences_of([[3]]), candidates=np.array([1, 2], np.int32))
