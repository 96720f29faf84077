"""Order statistics of numbers that lie in many places: found by counting, without collecting them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


def users_in_core(
    user: NDArray[np.int32], item: NDArray[np.int32], kept_items: NDArray[np.bool_], k: int, num_users: int
) -> NDArray[np.bool_]:
    """Users with at least `k` positives on items that are still in: bool [num_users].

    Args:
        user: Code of the user of each positive, [N]; each pair of user and item once.
        item: Its item, [N].
        alive: Whether each item is still in, bool [I].
        k: Least number.
        num_users: Users of the block.
    """
    return np.asarray(np.bincount(user[kept_items[item]], minlength=num_users) >= k)


def count_items(
    user: NDArray[np.int32], item: NDArray[np.int32], kept_items: NDArray[np.bool_], users: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Positives of each item that is still in, by users that are still in: int64 [I]."""
    return np.bincount(item[kept_items[item] & users[user]], minlength=len(kept_items)).astype(np.int64)


def items_in_core(
    count: Callable[[NDArray[np.bool_]], NDArray[np.int64]], kept_items: NDArray[np.bool_], k: int
) -> NDArray[np.bool_]:
    """Items of the k-core.

    Args:
        count: From the items still in, bool [I], to the positives of each by users that have `k` of them, int64 [I].
        alive: Items to start from, bool [I].
        k: Least number.

    Example:
        >>> counts = {3: [2, 2, 1], 2: [2, 2, 0]}                        # item 2 leaves, then all is stable
        >>> items_in_core(lambda a: np.array(counts[int(a.sum())]), np.ones(3, bool), 2).tolist()
        [True, True, False]
    """
    while True:
        left = kept_items & (count(kept_items) >= k)
        if np.array_equal(left, kept_items):
            return kept_items
        kept_items = left


NUM_EDGES = 1024


def order_statistics(
    count_below: Callable[[NDArray[np.int64]], NDArray[np.int64]], ranks: Sequence[int], low: int, high: int
) -> list[int]:
    """The values at some places of the sorted whole.

    The range in which each value lies is cut into about a thousand parts by one round of counting, until it is a
    single number: five rounds for times in milliseconds.

    Args:
        count_below: For sorted edges, how many of all numbers are below each.
        ranks: Places from 0; each must be smaller than the count of all numbers.
        low: Not above the smallest number.
        high: Not below the largest number.

    Example:
        >>> numbers = np.array([5, 1, 9, 9])
        >>> order_statistics(lambda edges: np.searchsorted(np.sort(numbers), edges), [0, 2], 1, 9)
        [1, 9]
    """
    ranges = [(low, high)] * len(ranks)
    while any(first < last for first, last in ranges):
        edges = np.unique(np.concatenate([_edges(first, last) for first, last in ranges]))
        below = count_below(edges)
        ranges = [_narrow(edges, below, rank, span) for rank, span in zip(ranks, ranges, strict=True)]
    return [first for first, _ in ranges]


def _edges(first: int, last: int) -> NDArray[np.int64]:
    steps = min(NUM_EDGES, last - first)
    return np.array(
        [first + (last - first) * k // steps for k in range(1, steps + 1)] if steps else [], np.int64
    )


def _narrow(
    edges: NDArray[np.int64], below: NDArray[np.int64], rank: int, span: tuple[int, int]
) -> tuple[int, int]:
    """The value at `rank` is at least each edge with `rank` or fewer numbers below it, and below every other edge."""
    place = int(np.searchsorted(below, rank, side="right"))
    first = max(span[0], int(edges[place - 1])) if place else span[0]
    last = min(span[1], int(edges[place]) - 1) if place < len(edges) else span[1]
    return first, last
