"""Users that are too fast to be people."""

import numpy as np
from numpy.typing import NDArray

MIN_MINUTES = 3
"""So many minutes over the rate make a bot: one burst may be a page that logged everything at once."""

_MINUTE = 60_000


def bots(user: NDArray[np.int32], time: NDArray[np.int64], events_per_minute: float) -> NDArray[np.bool_]:
    """Users with more than `events_per_minute` events in at least three different minutes of the clock.

    Args:
        user: Code of the user, from 0, [N].
        time: Milliseconds, [N].
        events_per_minute: Highest rate of a person.

    Returns:
        Whether each user is a bot, bool [largest code + 1].

    Example:
        >>> times = np.repeat([0, 60_000, 120_000], 2)
        >>> bots(np.zeros(6, np.int32), times, 1).tolist(), bots(np.zeros(6, np.int32), times, 2).tolist()
        ([True], [False])
    """
    num_users = int(user.max()) + 1 if len(user) else 0
    minute = time // _MINUTE
    order = np.lexsort((minute, user))
    user, minute = user[order], minute[order]
    starts = np.flatnonzero(np.r_[True, (user[1:] != user[:-1]) | (minute[1:] != minute[:-1])][: len(user)])
    counts = np.diff(np.r_[starts, len(user)])
    fast = user[starts[counts > events_per_minute]]
    return np.asarray(np.bincount(fast, minlength=num_users) >= MIN_MINUTES)
