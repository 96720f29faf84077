"""The same event logged twice, and the same thing done twice within a moment."""

import numpy as np
from numpy.typing import NDArray


def exact_duplicates(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    kind: NDArray[np.int8],
    time: NDArray[np.int64],
    event: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Events that repeat an earlier row: its event id, or its user, item, kind and time.

    Args:
        user: Code of the user, [N].
        item: Place in the catalogue, -1 where it is not there (such rows are compared by event id only).
        kind: Code of the kind.
        time: Milliseconds.
        event: Code of the event id, -1 where there is none.

    Returns:
        Whether each row is a repetition, bool [N]. The first of a group is none.

    Example:
        >>> one, two = np.array([1, 1], np.int32), np.array([5, 5])
        >>> exact_duplicates(one, one, one.astype(np.int8), two, np.array([-1, -1], np.int32)).tolist()
        [False, True]
    """
    same_event = _repeats([user, event])
    same_content = _repeats([user, item, kind, time])
    return (same_event & (event >= 0)) | (same_content & (item >= 0))


def near_duplicates(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    kind: NDArray[np.int8],
    time: NDArray[np.int64],
    window: float,
) -> NDArray[np.bool_]:
    """Events that follow one of the same user, item and kind within `window` milliseconds; 0 marks none.

    In a burst each event follows the one before it: only the first stays, however long the burst is. Marking what is
    left marks nothing more.
    """
    if window <= 0:
        return np.zeros(len(user), bool)
    order = np.lexsort((time, kind, item, user))
    follows = _same_as_before([user[order], item[order], kind[order]])
    follows[1:] &= np.diff(time[order]) <= window
    return _unsort(follows, order)


def _repeats(columns: list[NDArray[np.int64] | NDArray[np.int32] | NDArray[np.int8]]) -> NDArray[np.bool_]:
    # lexsort is stable: among equals the first row comes first.
    order = np.lexsort(columns[::-1])
    return _unsort(_same_as_before([c[order] for c in columns]), order)


def _same_as_before(
    columns: list[NDArray[np.int64] | NDArray[np.int32] | NDArray[np.int8]],
) -> NDArray[np.bool_]:
    same = np.ones(len(columns[0]), bool)
    same[:1] = False
    for column in columns:
        same[1:] &= column[1:] == column[:-1]
    return same


def _unsort(values: NDArray[np.bool_], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    out = np.empty_like(values)
    out[order] = values
    return out
