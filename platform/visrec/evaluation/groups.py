"""Groups that metrics are broken down by: users by length of history, held-out items by popularity."""

import numpy as np
from numpy.typing import NDArray

ACTIVITY_GROUPS = ("short history", "medium history", "long history")
POPULARITY_GROUPS = ("cold", "tail", "mid", "head")


def activity_groups(history_lengths: NDArray[np.int64]) -> NDArray[np.int8]:
    """Thirds of the users by length of history: index into `ACTIVITY_GROUPS`, int8 [U].

    Users of equal length stay together, so groups are not exactly equal in size.

    Example:
        >>> activity_groups(np.array([2, 9, 5])).tolist()
        [0, 2, 1]
    """
    cuts = np.quantile(history_lengths, [1 / 3, 2 / 3]) if len(history_lengths) else np.zeros(2)
    return np.searchsorted(cuts, history_lengths, side="left").astype(np.int8)


def popularity_groups(counts_I: NDArray[np.int64]) -> NDArray[np.int8]:
    """Items by their share of the known events: index into `POPULARITY_GROUPS`, int8 [I].

    Head: the most popular items that together make a third of all events; mid: the next third; tail: the rest; cold:
    items without an event.
    """
    order = np.argsort(-counts_I, kind="stable")
    before = np.r_[0, np.cumsum(counts_I[order])[:-1]]  # events of all more popular items
    total = max(int(counts_I.sum()), 1)
    group_I = np.empty(len(counts_I), np.int8)
    group_I[order] = 3 - np.minimum(3 * before // total, 2)
    group_I[counts_I == 0] = 0
    return group_I
