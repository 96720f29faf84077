import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from visrec.ingestion.stages.global_stats import NUM_EDGES, order_statistics


@given(st.lists(st.integers(-(2**41), 2**41), min_size=1), st.data())
def test_agrees_with_sorting(numbers: list[int], data: st.DataObject) -> None:
    ordered = np.sort(np.array(numbers, np.int64))
    ranks = data.draw(st.lists(st.integers(0, len(numbers) - 1), min_size=1, max_size=3))
    found = order_statistics(lambda edges: np.searchsorted(ordered, edges), ranks, min(numbers), max(numbers))
    assert found == [ordered[rank] for rank in ranks]


def test_counts_in_a_few_rounds() -> None:
    ordered = np.sort(np.random.default_rng(0).integers(0, 2**41, 5000))
    rounds: list[int] = []

    def count_below(edges: NDArray[np.int64]) -> NDArray[np.int64]:
        rounds.append(len(edges))
        return np.searchsorted(ordered, edges)

    assert order_statistics(count_below, [4000, 4500], 0, 2**41) == [ordered[4000], ordered[4500]]
    assert len(rounds) <= 5
    assert max(rounds) <= 2 * NUM_EDGES


def test_one_number_needs_no_counting() -> None:
    assert order_statistics(lambda edges: edges, [0], 7, 7) == [7]
