"""State of a user at a moment: positives, negatives and views before it, as the features read them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visrec.data.interactions import InteractionBlock
from visrec.data.snapshot import Sequences


@dataclass(frozen=True, kw_only=True, slots=True)
class UserState:
    """One user at a moment; every event is from before it.

    Attributes:
        items: Item indices of the positives, oldest first: int32 [L].
        times: Their times in milliseconds, int64 [L].
        negatives: Items with a negative event (skip, dislike, hide), oldest first: int32 [R].
        viewed: Items that were shown and got no other event, oldest first: int32 [V].
        time: The moment in milliseconds.
        query_D: The retriever's query vector, float32, for the scores of a blend's members; None for a single model.

    Example:
        >>> none = np.empty(0, np.int32)
        >>> items, times = np.array([3, 7], np.int32), np.array([10, 20])
        >>> state = UserState(items=items, times=times, negatives=none, viewed=none, time=30)
        >>> state.last(1).items.tolist()
        [7]
    """

    items: NDArray[np.int32]
    times: NDArray[np.int64]
    negatives: NDArray[np.int32]
    viewed: NDArray[np.int32]
    time: int
    query_D: NDArray[np.float32] | None = None

    def last(self, num: int) -> "UserState":
        """Only the most recent positives, negatives and views, at most `num` of each."""
        return replace(
            self,
            items=self.items[-num:],
            times=self.times[-num:],
            negatives=self.negatives[-num:],
            viewed=self.viewed[-num:],
        )


def user_states(
    histories: Sequences,
    times: NDArray[np.int64],
    log: InteractionBlock,
    *,
    max_history: int,
    queries_UD: NDArray[np.float32] | None = None,
) -> list[UserState]:
    """States of a block of users.

    Args:
        histories: Their positives; all of them are part of the state.
        times: The moment of each user, int64 [U].
        log: Their log, row for row with `histories`. Only negatives and views strictly before the moment are read.
        max_history: Most recent positives, negatives and views that are kept, of each.
        queries_UD: The retriever's query vectors, for a blend.
    """
    return [
        user_state(
            histories,
            row,
            int(times[row]),
            log,
            max_history=max_history,
            query_D=None if queries_UD is None else queries_UD[row],
        )
        for row in range(len(histories))
    ]


def user_state(
    histories: Sequences,
    row: int,
    time: int,
    log: InteractionBlock,
    *,
    max_history: int,
    query_D: NDArray[np.float32] | None = None,
) -> UserState:
    """State of one user of a block; see `user_states`."""
    positives = slice(int(histories.offsets[row]), int(histories.offsets[row + 1]))
    rows = log.of_user(row)
    earlier = log.times[rows] < time
    items, weights = log.items[rows][earlier], log.weights[rows][earlier]
    state = UserState(
        items=histories.items[positives],
        times=histories.times[positives],
        negatives=items[weights < 0],
        viewed=items[weights == 0],
        time=time,
        query_D=query_D,
    )
    return state.last(max_history)
