import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from visrec.ingestion.k_core import count_items, items_in_core, users_in_core


def _core(pairs: list[tuple[int, int]], num_items: int, k: int, num_blocks: int = 1) -> set[tuple[int, int]]:
    """The k-core by the functions under test, users spread over blocks."""
    table = np.array(sorted(pairs), np.int32).reshape(-1, 2)
    blocks = [table[table[:, 0] % num_blocks == b] for b in range(num_blocks)]

    def users(block: NDArray[np.int32], kept_items: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return users_in_core(block[:, 0], block[:, 1], kept_items, k, 10)

    def count(kept_items: NDArray[np.bool_]) -> NDArray[np.int64]:
        counts = [count_items(b[:, 0], b[:, 1], kept_items, users(b, kept_items)) for b in blocks]
        return sum(counts, np.zeros(num_items, np.int64))

    kept_items = items_in_core(count, np.ones(num_items, bool), k)
    stays = {b: users(block, kept_items) for b, block in enumerate(blocks)}
    return {(u, i) for u, i in pairs if kept_items[i] and stays[u % num_blocks][u]}


def _core_by_definition(pairs: set[tuple[int, int]], k: int) -> set[tuple[int, int]]:
    while True:
        users = [u for u, _ in pairs]
        items = [i for _, i in pairs]
        left = {(u, i) for u, i in pairs if users.count(u) >= k and items.count(i) >= k}
        if left == pairs:
            return left
        pairs = left


def test_one_that_leaves_takes_others_with_it() -> None:
    ring = [(0, 0), (0, 1), (1, 0), (1, 1)]
    tail = [(2, 1), (2, 2), (3, 2)]  # user 3 leaves, then item 2, then user 2
    assert _core(ring + tail, 3, 2) == set(ring)
    assert _core(ring + tail, 3, 3) == set()
    assert _core(ring + tail, 3, 1) == set(ring + tail)


@given(
    st.sets(st.tuples(st.integers(0, 9), st.integers(0, 7)), max_size=50),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_agrees_with_the_definition(pairs: set[tuple[int, int]], k: int, num_blocks: int) -> None:
    core = _core(list(pairs), 8, k, num_blocks)
    assert core == _core_by_definition(pairs, k)
    assert _core(list(core), 8, k) == core
