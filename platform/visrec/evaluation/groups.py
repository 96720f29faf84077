"""Groups of users and of held-out items, to see for whom a model works."""

import numpy as np
from numpy.typing import NDArray

ACTIVITY_GROUPS = ("short history", "medium history", "long history")
POPULARITY_GROUPS = ("cold", "tail", "mid", "head")


def activity_groups(history_lengths: NDArray[np.int64]) -> NDArray[np.int8]:
    """Thirds of the users by length of history: place in `ACTIVITY_GROUPS`, int8 [U].

    Users of equal length stay together, so groups are not exactly equal in size.

    Example:
        >>> activity_groups(np.array([2, 9, 5])).tolist()
        [0, 2, 1]
    """
    cuts = np.quantile(history_lengths, [1 / 3, 2 / 3]) if len(history_lengths) else np.zeros(2)
    return np.searchsorted(cuts, history_lengths, side="left").astype(np.int8)


def popularity_groups(counts: NDArray[np.int64]) -> NDArray[np.int8]:
    """Items by their share of the known events: place in `POPULARITY_GROUPS`, int8 [I].

    Head: the most popular items that together make a third of all events; mid: the next third; tail: the rest; cold:
    items without an event.
    """
    order = np.argsort(-counts, kind="stable")
    before = np.r_[0, np.cumsum(counts[order])[:-1]]  # events of all more popular items
    total = max(int(counts.sum()), 1)
    group = np.empty(len(counts), np.int8)
    group[order] = 3 - np.minimum(3 * before // total, 2)
    group[counts == 0] = 0
    return group
