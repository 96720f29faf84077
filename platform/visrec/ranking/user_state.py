"""How popular each item was before a moment, so that a feature of the past never sees what came later."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS
from visrec.data.interactions import InteractionBlock
from visrec.data.snapshot import Sequences


@dataclass(frozen=True, kw_only=True, slots=True)
class UserState:
    """One user before a moment.

    Attributes:
        items: Positives, oldest first: item indices, int32 [L].
        times: Their times in milliseconds, int64 [L].
        refused: Items with a negative event (a dislike, a skip): int32 [R].
        viewed: Items that were on the screen and nothing more: int32 [V].
        time: The moment in milliseconds.

    Example:
        >>> empty = np.empty(0, np.int32)
        >>> UserState(np.array([3, 7], np.int32), np.array([10, 20]), empty, empty, time=30).items.tolist()
        [3, 7]
    """

    items: NDArray[np.int32]
    times: NDArray[np.int64]
    refused: NDArray[np.int32]
    viewed: NDArray[np.int32]
    time: int

    def last(self, num: int) -> "UserState":
        """Only the most recent positives, refusals and views, at most `num` of each, in training as in serving."""
        return UserState(
            items=self.items[-num:],
            times=self.times[-num:],
            refused=self.refused[-num:],
            viewed=self.viewed[-num:],
            time=self.time,
        )


def user_states(
    histories: Sequences, times: NDArray[np.int64], log: InteractionBlock, *, max_history: int
) -> list[UserState]:
    """The pasts of a block of users.

    Args:
        histories: What may be known of their positives: all of it counts.
        times: The moment of each user, int64 [U].
        log: Their log, row for row: only what says no or nothing, strictly before the moment, counts.
        max_history: Most recent positives, refusals and views that are kept, of each.
    """
    return [
        user_state(histories, row, int(times[row]), log, max_history=max_history)
        for row in range(len(histories))
    ]


def user_state(
    histories: Sequences, row: int, time: int, log: InteractionBlock, *, max_history: int
) -> UserState:
    """The past of one user of a block; see `user_states`."""
    known = slice(int(histories.offsets[row]), int(histories.offsets[row + 1]))
    rows = log.of_user(row)
    earlier = log.times[rows] < time
    shown, weights = log.items[rows][earlier], log.weights[rows][earlier]
    past = UserState(
        items=histories.items[known],
        times=histories.times[known],
        refused=shown[weights < 0],
        viewed=shown[weights == 0],
        time=time,
    )
    return past.last(max_history)


_MAX_BINS = 128
_MAX_ELEMENTS = 1 << 25
"""Counts held (128 MiB); larger catalogues have coarser bins of time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PopularityOverTime:
    """Counts of positives in bins of time, summed up from the beginning.

    Attributes:
        start: Beginning of the first bin in milliseconds.
        width: Length of a bin in milliseconds.
        before_IB: Positives of each item before each bin, and before the end: int32 [I, B + 1].

    Example:
        >>> one_a_day = PopularityOverTime(0, DAY_MS, np.array([[0, 1, 2, 3]], np.int32))
        >>> one_a_day.between(np.array([0]), DAY_MS, 3 * DAY_MS).tolist()
        [2]
    """

    start: int
    width: int
    before_IB: NDArray[np.int32]

    @classmethod
    def fit(cls, blocks: Callable[[], Iterable[Sequences]], num_items: int) -> "PopularityOverTime":
        """Count the events of all blocks, which are gone over twice."""
        bounds = [(int(b.times.min()), int(b.times.max())) for b in blocks() if len(b.times)]
        start = min((low for low, _ in bounds), default=0)
        span = max((high for _, high in bounds), default=0) - start + 1
        num_bins = max(1, min(_MAX_BINS, span // DAY_MS + 1, _MAX_ELEMENTS // max(num_items, 1)))
        width = -(-span // num_bins)
        counts_IB = np.zeros((num_items, num_bins + 1), np.int32)
        for block in blocks():
            np.add.at(counts_IB, (block.items, (block.times - start) // width + 1), 1)
        return cls(start=start, width=int(width), before_IB=np.cumsum(counts_IB, axis=1, dtype=np.int32))

    def before(self, items: NDArray[np.int32], time: int) -> NDArray[np.int32]:
        """Positives of each of the items before the bin of `time`; after the last bin: all."""
        bin_ = min(max((time - self.start) // self.width, 0), self.before_IB.shape[1] - 1)
        counts: NDArray[np.int32] = self.before_IB[items, bin_]
        return counts

    def between(self, items: NDArray[np.int32], since: int, time: int) -> NDArray[np.int32]:
        """Positives of each of the items from the bin of `since` to before that of `time`."""
        return self.before(items, time) - self.before(items, since)

    @property
    def end(self) -> int:
        """When the last bin ends."""
        return self.start + self.width * int(self.before_IB.shape[1] - 1)
