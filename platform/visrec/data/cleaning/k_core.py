"""The k-core: users and items that all have at least k positives among each other.

Seidman 1983. The largest such set is unique, so it does not matter in which order what is too small leaves. Only one
number an item is ever in one place: users are counted where their events are, items by adding up what blocks count.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def users_in_core(
    user: NDArray[np.int32], item: NDArray[np.int32], alive: NDArray[np.bool_], k: int, num_users: int
) -> NDArray[np.bool_]:
    """Users with at least `k` positives on items that are still in: bool [num_users].

    Args:
        user: Code of the user of each positive, [N]; each pair of user and item once.
        item: Its item, [N].
        alive: Whether each item is still in, bool [I].
        k: Least number.
        num_users: Users of the block.
    """
    return np.asarray(np.bincount(user[alive[item]], minlength=num_users) >= k)


def count_items(
    user: NDArray[np.int32], item: NDArray[np.int32], alive: NDArray[np.bool_], users: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Positives of each item that is still in, by users that are still in: int64 [I]."""
    return np.bincount(item[alive[item] & users[user]], minlength=len(alive)).astype(np.int64)


def items_in_core(
    count: Callable[[NDArray[np.bool_]], NDArray[np.int64]], alive: NDArray[np.bool_], k: int
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
        left = alive & (count(alive) >= k)
        if np.array_equal(left, alive):
            return alive
        alive = left
