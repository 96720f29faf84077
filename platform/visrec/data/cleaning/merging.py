"""Several events of one visit to an item become one: seen, clicked, put into the cart is one story, not three."""

import numpy as np
from numpy.typing import NDArray


def merge(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    time: NDArray[np.int64],
    weight: NDArray[np.float32],
    window: float,
) -> NDArray[np.int64]:
    """For each event the one that stands for it.

    Events of one user on one item, each within `window` milliseconds of the one before, are one visit. The strongest of
    it (by the size of its weight; among equals the first) stands for all and keeps its own time, so that merging what
    is left merges nothing more.

    Args:
        user: Code of the user, [N].
        item: Place in the catalogue, [N].
        time: Milliseconds, [N].
        weight: Of the event's kind, [N].
        window: Milliseconds; 0 merges nothing.

    Returns:
        Row of the representative of each row, int64 [N]; a row that stands for itself stays.

    Example:
        >>> user = item = np.array([1, 1, 1], np.int32)
        >>> merge(user, item, np.array([0, 10, 99]), np.array([1, 4, 1], np.float32), 20).tolist()
        [1, 1, 2]
    """
    if window <= 0 or not len(user):
        return np.arange(len(user))
    order = np.lexsort((time, item, user))
    apart = np.ones(len(user), bool)
    apart[1:] = (np.diff(user[order]) != 0) | (np.diff(item[order]) != 0) | (np.diff(time[order]) > window)
    visit = np.cumsum(apart) - 1
    strongest_first = np.lexsort((time[order], -np.abs(weight[order]), visit))
    firsts = strongest_first[np.r_[True, np.diff(visit[strongest_first]) != 0]]
    representative = np.empty(len(user), np.int64)
    representative[order] = order[firsts[visit]]
    return representative


def first_known(
    values: NDArray[np.int64], representative: NDArray[np.int64], time: NDArray[np.int64], missing: int
) -> NDArray[np.int64]:
    """Each representative's value, or where it has none the earliest one among the events that it stands for."""
    known = np.flatnonzero(values != missing)
    latest_first = known[np.argsort(-time[known], kind="stable")]
    earliest = np.full(len(values), missing, np.int64)
    earliest[representative[latest_first]] = values[latest_first]  # the last write, the earliest, stays
    return np.where(values != missing, values, earliest)
