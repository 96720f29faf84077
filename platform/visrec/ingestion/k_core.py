"""k-core of users and items: those with at least k positives among each other, found by repeated counting.

Users lie in blocks, each user in one; items are known to all blocks. So whether an item is kept is decided from counts
of all blocks, and whether a user is kept from its own block.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from visrec.ingestion.cleaning import CleanBlock


def items_in_core(
    count: Callable[[NDArray[np.bool_]], NDArray[np.int64]], items: NDArray[np.bool_], k: int
) -> NDArray[np.bool_]:
    """Items of the k-core: bool [I].

    Args:
        count: From the items that are left, bool [I], to the positives of each by users that have `k` of them,
            int64 [I]: the sum of `count_items` over all blocks.
        items: Items to start from, bool [I].
        k: Least number.

    Example:
        >>> counts = {3: [2, 2, 1], 2: [2, 2, 0]}                        # item 2 leaves, then all is stable
        >>> items_in_core(lambda left: np.array(counts[int(left.sum())]), np.ones(3, bool), 2).tolist()
        [True, True, False]
    """
    while True:
        left = items & (count(items) >= k)
        if np.array_equal(left, items):
            return items
        items = left


def users_in_core(
    user: NDArray[np.int32], item: NDArray[np.int32], kept_items: NDArray[np.bool_], k: int, num_users: int
) -> NDArray[np.bool_]:
    """Users with at least `k` positives on items that are left: bool [num_users].

    Args:
        user: User of each positive, [N]; each pair of user and item once.
        item: Its item, [N].
        kept_items: Whether each item is left, bool [I].
        k: Least number.
        num_users: Users of the block.
    """
    return np.asarray(np.bincount(user[kept_items[item]], minlength=num_users) >= k)


def count_items(
    user: NDArray[np.int32], item: NDArray[np.int32], kept_items: NDArray[np.bool_], users: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Positives of each item that is left, by users that are left: int64 [I]."""
    return np.bincount(item[kept_items[item] & users[user]], minlength=len(kept_items)).astype(np.int64)


def kept_users(block: CleanBlock, kept_items: NDArray[np.bool_], k: int) -> NDArray[np.bool_]:
    """Users of a block with at least `k` positives on kept items, all with k = 0: bool [U]."""
    if k == 0:
        return np.ones(len(block.user_ids), bool)
    first = block.column("first_positive")
    return users_in_core(
        block.column("user")[first], block.column("item")[first], kept_items, k, len(block.user_ids)
    )


def sequence_events(
    block: CleanBlock, kept_items: NDArray[np.bool_], users: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Events of a block that are part of a sequence: first positives of kept users on kept items, bool [N]."""
    keep: NDArray[np.bool_] = (
        block.column("first_positive") & kept_items[block.column("item")] & users[block.column("user")]
    )
    return keep
