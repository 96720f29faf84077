from math import log

import numpy as np
import pytest
from tests.support.snapshots import sequences_of

from visrec.baselines.item_item import ItemKnn
from visrec.baselines.popularity import count_items

HISTORIES = [[0, 1, 2], [0, 1], [1, 3], [2, 3, 4, 0], [4]]
NUM_ITEMS = 6


def brute_force(k1: float = 1.2, b: float = 0.75) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """BM25 similarities straight from the definition."""
    counts = [sum(i in h for h in HISTORIES) for i in range(NUM_ITEMS)]
    mean = sum(counts) / NUM_ITEMS
    weight = np.zeros((NUM_ITEMS, len(HISTORIES)))
    for u, history in enumerate(HISTORIES):
        idf = log(NUM_ITEMS) - log(1 + len(history))
        for i in history:
            weight[i, u] = idf * (k1 + 1) / (k1 * (1 - b + b * counts[i] / mean) + 1)
    return np.asarray(weight @ weight.T)


def test_similarities_are_those_of_the_definition() -> None:
    blocks = [sequences_of(HISTORIES[:2]), sequences_of(HISTORIES[2:])]
    found = ItemKnn.fit(blocks, NUM_ITEMS, num_neighbours=NUM_ITEMS).similarity
    assert found.toarray() == pytest.approx(brute_force(), rel=1e-6)
    counts = count_items(blocks, NUM_ITEMS)
    with_counts = ItemKnn.fit(blocks, NUM_ITEMS, num_neighbours=NUM_ITEMS, counts_I=counts).similarity
    assert (with_counts != found).nnz == 0


def test_only_the_nearest_are_kept_and_summed() -> None:
    scorer = ItemKnn.fit([sequences_of(HISTORIES)], NUM_ITEMS, num_neighbours=2)
    kept = brute_force()
    for row in kept:
        row[np.argsort(-row, kind="stable")[2:]] = 0
    histories = sequences_of([[0, 3], [5]])
    found = scorer.score(histories, histories.times)
    assert found[0] == pytest.approx(kept[0] + kept[3], rel=1e-6)
    assert found[1].tolist() == [0] * NUM_ITEMS


def test_chunks_change_nothing() -> None:
    blocks = [sequences_of(HISTORIES)]
    whole = ItemKnn.fit(blocks, NUM_ITEMS, num_neighbours=3).similarity
    parts = ItemKnn.fit(blocks, NUM_ITEMS, num_neighbours=3, chunk_items=4).similarity
    assert (whole != parts).nnz == 0
