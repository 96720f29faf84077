"""What is known of a user before a moment: all that the features look at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences
from visrec.ranking.log import Log


@dataclass(frozen=True)
class Past:
    """One user before a moment.

    Attributes:
        items: Positives, oldest first: item indices, int32 [L].
        times: Their times in milliseconds, int64 [L].
        refused: Items with a negative event (a dislike, a skip): int32 [R].
        viewed: Items that were on the screen and nothing more: int32 [V].
        time: The moment in milliseconds.

    Example:
        >>> empty = np.empty(0, np.int32)
        >>> Past(np.array([3, 7], np.int32), np.array([10, 20]), empty, empty, time=30).items.tolist()
        [3, 7]
    """

    items: NDArray[np.int32]
    times: NDArray[np.int64]
    refused: NDArray[np.int32]
    viewed: NDArray[np.int32]
    time: int

    def last(self, num: int) -> "Past":
        """Only the most recent positives, refusals and views, at most `num` of each, in training as in serving."""
        return Past(self.items[-num:], self.times[-num:], self.refused[-num:], self.viewed[-num:], self.time)


def pasts_of(histories: Sequences, times: NDArray[np.int64], log: Log, *, max_history: int) -> list[Past]:
    """The pasts of a block of users.

    Args:
        histories: What may be known of their positives: all of it counts.
        times: The moment of each user, int64 [U].
        log: Their log, row for row: only what says no or nothing, strictly before the moment, counts.
        max_history: Most recent positives, refusals and views that are kept, of each.
    """
    return [
        past_of(histories, row, int(times[row]), log, max_history=max_history)
        for row in range(len(histories))
    ]


def past_of(histories: Sequences, row: int, time: int, log: Log, *, max_history: int) -> Past:
    """The past of one user of a block; see `pasts_of`."""
    known = slice(int(histories.offsets[row]), int(histories.offsets[row + 1]))
    rows = log.of(row)
    earlier = log.times[rows] < time
    shown, weights = log.items[rows][earlier], log.weights[rows][earlier]
    past = Past(histories.items[known], histories.times[known], shown[weights < 0], shown[weights == 0], time)
    return past.last(max_history)
