"""Rules of cleaning on arrays of events: bots, exact and near duplicates, merging of visits."""

import numpy as np
from numpy.typing import NDArray

from visrec.ingestion.resolution import HOUR_MS, MINUTE_MS, TimeStep

MIN_MINUTES = 3
"""Minutes over the rate that make a bot: a single burst can be a page that logged everything at once."""


def bots(
    user: NDArray[np.int32], time: NDArray[np.int64], events_per_minute: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Users with more than `events_per_minute` events in at least `MIN_MINUTES` minutes of the clock.

    A user whose times are coarser than a minute is measured over the span that they tell: days as times make a bot of
    more than 1,440 times the rate a day. Where times are finer, many events of one moment were written at once, as
    batches are, and say nothing about a rate.

    Args:
        user: Code of the user, from 0, [N].
        time: Milliseconds, [N].
        events_per_minute: Highest rate of a human user.

    Returns:
        Whether each user is a bot, and whether each is above the rate by the clock but not by what its times tell:
        two arrays bool [largest code + 1].

    Example:
        >>> times = np.repeat([0, 60_000, 120_000], 2)
        >>> bots(np.zeros(6, np.int32), times, 1)[0].tolist(), bots(np.zeros(6, np.int32), times, 2)[0].tolist()
        ([True], [False])
    """
    num_users = int(user.max()) + 1 if len(user) else 0
    minute = time // MINUTE_MS
    order = np.lexsort((minute, user))
    user, minute = user[order], minute[order]
    starts = np.flatnonzero(np.r_[True, (user[1:] != user[:-1]) | (minute[1:] != minute[:-1])][: len(user)])
    counts = np.diff(np.r_[starts, len(user)])
    fast = user[starts[counts > events_per_minute]]
    suspects: NDArray[np.bool_] = np.bincount(fast, minlength=num_users) >= MIN_MINUTES
    found = np.zeros(num_users, bool)
    for code in np.flatnonzero(suspects):
        rows = order[np.searchsorted(user, code) : np.searchsorted(user, code, side="right")]
        found[code] = _is_too_fast(np.sort(time[rows]), events_per_minute)
    return found, suspects & ~found


def _is_too_fast(time: NDArray[np.int64], events_per_minute: float) -> bool:
    """Whether one user's times, ascending, are above the rate in at least `MIN_MINUTES` spans that they can tell."""
    step = TimeStep.of(time)
    span = max(MINUTE_MS, step.step if step else 0)
    first = int(time[0]) if span > MINUTE_MS else 0
    spans = (time - first) // span
    starts = np.flatnonzero(np.r_[True, spans[1:] != spans[:-1]])
    ends = np.r_[starts[1:], len(time)]
    fast = ends - starts > events_per_minute * span / MINUTE_MS
    one_moment = time[starts] == time[ends - 1]
    if step and step.step < MINUTE_MS:
        fast &= ~one_moment
    # Whole hours and days among finer times, as of a second log: those cannot tell minutes either.
    bursts = TimeStep.of(time[starts[fast]]) if (fast & one_moment).sum() == fast.sum() else None
    if span == MINUTE_MS and bursts and bursts.step % HOUR_MS == 0:
        return False
    return int(fast.sum()) >= MIN_MINUTES


def exact_duplicates(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    kind: NDArray[np.int8],
    time: NDArray[np.int64],
    event: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Events that repeat the user, item and kind of an earlier row, and its event id or its time.

    An event id alone makes no repetition: rows of one basket may share it.

    Args:
        user: Code of the user, [N].
        item: Row of the catalogue; below 0 for an unknown item (such rows are compared by event id, not by time), [N].
        kind: Code of the kind, [N].
        time: Milliseconds, [N].
        event: Code of the event id, -1 where there is none, [N].

    Returns:
        Whether each row is a repetition, bool [N]; the first of a group is not.

    Example:
        >>> one, two = np.array([1, 1], np.int32), np.array([5, 5])
        >>> exact_duplicates(one, one, one.astype(np.int8), two, np.array([-1, -1], np.int32)).tolist()
        [False, True]
    """
    repeats = _repeats([user, item, kind, time]) & (item >= 0)
    if (event >= 0).any():
        repeats |= _repeats([user, event, item, kind]) & (event >= 0)
    return repeats


def near_duplicates(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    kind: NDArray[np.int8],
    time: NDArray[np.int64],
    window: float,
) -> NDArray[np.bool_]:
    """Events that follow one of the same user, item and kind within `window` milliseconds: bool [N]; 0 marks none.

    In a burst each event follows the one before it: only the first is kept, however long the burst. The rule is
    idempotent.
    """
    if window <= 0:
        return np.zeros(len(user), bool)
    order = np.lexsort((time, kind, item, user))
    follows = _same_as_before([user[order], item[order], kind[order]])
    follows[1:] &= np.diff(time[order]) <= window
    return _unsort(follows, order)


def merge(
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    time: NDArray[np.int64],
    weight: NDArray[np.float32],
    window: float,
) -> NDArray[np.int64]:
    """Merge a user's events on one item, each within `window` milliseconds of the one before, into one visit.

    The strongest event (largest absolute weight; among equals the first) represents the visit and keeps its own time,
    which makes the rule idempotent.

    Args:
        user: Code of the user, [N].
        item: Row of the catalogue, [N].
        time: Milliseconds, [N].
        weight: Of the event's kind, [N].
        window: Milliseconds; 0 merges nothing.

    Returns:
        Row of the representative of each row, int64 [N]; a representative has its own row.

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
    """Each representative's value or, where it is missing, the earliest one of its visit: int64 [N]."""
    known = np.flatnonzero(values != missing)
    latest_first = known[np.argsort(-time[known], kind="stable")]
    earliest = np.full(len(values), missing, np.int64)
    earliest[representative[latest_first]] = values[latest_first]  # the last write, of the earliest, wins
    return np.where(values != missing, values, earliest)


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
