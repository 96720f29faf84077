from math import log2

import numpy as np
import pytest

from visrec.evaluation.metrics import ndcg_of_lists, ranking_metrics
from visrec.evaluation.ranks import Ranks


def ranks_of(places: list[list[float]], num_candidates: int = 100) -> Ranks:
    flat = np.array([p for row in places for p in row], np.float64)
    lengths = np.array([len(row) for row in places])
    return Ranks(
        row_P=np.repeat(np.arange(len(places)), lengths),
        item_P=np.zeros(len(flat), np.int32),
        rank_P=flat,
        middle_rank_P=flat,
        num_targets_B=lengths,
        num_candidates_B=np.full(len(places), num_candidates),
    )


def test_one_held_out_item_by_hand() -> None:
    found = ranking_metrics(ranks_of([[1], [3], [11]]), (10,))
    assert found["ndcg@10"].tolist() == [1, 0.5, 0]
    assert found["recall@10"].tolist() == [1, 1, 0]
    assert found["hr@10"].tolist() == [1, 1, 0]
    assert found["precision@10"].tolist() == [0.1, 0.1, 0]
    assert found["f1@10"] == pytest.approx([2 / 11, 2 / 11, 0])
    assert found["map@10"] == pytest.approx([1, 1 / 3, 0])
    assert found["mrr"] == pytest.approx([1, 1 / 3, 1 / 11])
    assert found["auc"] == pytest.approx([1, 97 / 99, 89 / 99])


def test_several_held_out_items_by_hand() -> None:
    found = ranking_metrics(ranks_of([[7, 1, 4]], num_candidates=10), (5,))
    dcg, ideal = 1 + 1 / log2(5), 1 + 1 / log2(3) + 1 / log2(4)
    assert found["ndcg@5"] == pytest.approx([dcg / ideal])
    assert found["recall@5"] == pytest.approx([2 / 3])
    assert found["precision@5"] == pytest.approx([2 / 5])
    assert found["f1@5"] == pytest.approx([2 * (2 / 3) * (2 / 5) / (2 / 3 + 2 / 5)])
    assert found["map@5"] == pytest.approx([(1 / 1 + 2 / 4) / 3])
    assert found["mrr"] == pytest.approx([1])
    # Of 3 x 7 pairs with the others at places 2, 3, 5, 6, 8, 9, 10 wrong: none for 1, two for 4, four for 7.
    assert found["auc"] == pytest.approx([1 - 6 / 21])


def test_ideal_holds_no_more_than_k() -> None:
    found = ranking_metrics(ranks_of([[1, 2, 3, 4]]), (2,))
    assert found["ndcg@2"] == pytest.approx([1])
    assert found["map@2"] == pytest.approx([1])
    assert found["recall@2"] == pytest.approx([0.5])


def test_batched_is_single() -> None:
    rows: list[list[float]] = [[2], [1, 5, 30], [9, 3]]
    together = ranking_metrics(ranks_of(rows), (3, 10))
    for place, row in enumerate(rows):
        for name, values in ranking_metrics(ranks_of([row]), (3, 10)).items():
            assert values[0] == together[name][place]


def test_a_refused_item_counts_as_a_miss() -> None:
    found = ranking_metrics(ranks_of([[np.inf]]), (10,))
    assert found["ndcg@10"].tolist() == found["mrr"].tolist() == found["map@10"].tolist() == [0]


def test_users_without_a_pair_are_nan_after_a_choice_of_pairs() -> None:
    ranks = ranks_of([[1], [2, 5]])
    found = ranking_metrics(ranks.where(np.array([False, True, False])), (10,))
    assert np.isnan(found["ndcg@10"][0])
    assert found["ndcg@10"][1] == pytest.approx(1 / log2(3))


def test_nothing_to_tell_apart_is_one_half() -> None:
    assert ranking_metrics(ranks_of([[1, 2]], num_candidates=2), (1,))["auc"].tolist() == [0.5]


def test_ndcg_of_lists_by_hand() -> None:
    scores = np.array([[3, 2, 1], [1, 2, 3]], np.float32)
    labels = np.array([[True, False, True], [False, False, False]])
    best = 1 + 1 / log2(3)
    assert ndcg_of_lists(scores, labels, np.array([2, 1])).tolist() == pytest.approx([(1 + 0.5) / best, 0])
