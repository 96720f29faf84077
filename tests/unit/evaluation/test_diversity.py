from itertools import combinations

import numpy as np
import pytest

from visrec.arrays import NO_ITEM, unit_vectors
from visrec.evaluation.beyond_accuracy import attribute_diversity, category_matrix, vector_diversity


def test_vectors_by_hand() -> None:
    units = unit_vectors(np.array([[2, 0], [5, 0], [0, 3], [-1, 0]], np.float32))
    lists = np.array([[0, 1], [0, 2], [0, 3], [0, NO_ITEM]], np.int32)
    assert vector_diversity(lists, units) == pytest.approx([0, 1, 2, 0])


def test_vectors_against_all_pairs() -> None:
    rng = np.random.default_rng(0)
    units = unit_vectors(rng.normal(size=(20, 6)).astype(np.float32))
    lists = np.stack([rng.permutation(20)[:5] for _ in range(4)]).astype(np.int32)
    expected = [np.mean([1 - units[a] @ units[b] for a, b in combinations(row, 2)]) for row in lists]
    assert vector_diversity(lists, units) == pytest.approx(expected, abs=1e-6)


def test_attributes_by_hand() -> None:
    matrix = category_matrix([["red", "round"], ["red"], ["blue"], [], None])
    lists = np.array(
        [[0, 1, NO_ITEM], [0, 2, NO_ITEM], [0, 1, 2], [3, 4, NO_ITEM], [2, NO_ITEM, NO_ITEM]], np.int32
    )
    # {red, round} and {red} share one of two; disjoint sets differ wholly; two empty sets do not differ.
    assert attribute_diversity(lists, matrix) == pytest.approx([0.5, 1, (0.5 + 1 + 1) / 3, 0, 0])


def test_no_categories_at_all() -> None:
    assert category_matrix([[], None, []]) is None
