import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from visrec.recommend.list_builder import mmr_order

SCORES = np.array([4, 3, 2, 0], np.float32)
# Two twins, one at a right angle to them, one opposite.
VECTORS = np.array([[2, 0], [1, 0], [0, 3], [-1, 0]], np.float32)


def test_known_answers() -> None:
    assert mmr_order(SCORES, VECTORS, 4, 0.0).tolist() == [0, 1, 2, 3]
    # Scaled scores 1, .75, .5, 0. After item 0: .7 * .75 - .3 * 1 = .225, .7 * .5 - .3 * 0 = .35, 0 + .3 = .3;
    # after item 2: the twin stays at .225, the opposite one falls to 0 - .3 * 0 = 0.
    assert mmr_order(SCORES, VECTORS, 4, 0.3).tolist() == [0, 2, 1, 3]
    assert mmr_order(SCORES, VECTORS, 4, 1.0).tolist() == [0, 3, 2, 1]


def test_fewer_and_none() -> None:
    assert mmr_order(SCORES, VECTORS, 2, 0.3).tolist() == [0, 2]
    assert mmr_order(SCORES, VECTORS, 9, 0.3).tolist() == [0, 2, 1, 3]
    assert mmr_order(SCORES[:0], VECTORS[:0], 3, 0.3).tolist() == []


def test_equal_scores_and_zero_vectors_are_no_trouble() -> None:
    assert mmr_order(np.ones(3, np.float32), np.zeros((3, 2), np.float32), 3, 0.5).tolist() == [0, 1, 2]


@given(st.integers(0, 999), st.integers(1, 20), st.integers(1, 25), st.floats(0, 1))
def test_picks_distinct_places_and_starts_with_the_best(
    seed: int, num: int, k: int, diversity: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.normal(size=num)).astype(np.float32)
    order = mmr_order(scores, rng.normal(size=(num, 3)).astype(np.float32), k, diversity)
    assert order[0] == 0
    assert len(set(order.tolist())) == len(order) == min(k, num)
