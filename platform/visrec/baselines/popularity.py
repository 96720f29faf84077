"""Popularity baselines: the same list for everybody, of what most users had."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS
from visrec.data.snapshot import Sequences


@dataclass(frozen=True, kw_only=True, slots=True)
class Popularity:
    """Scores an item by the number of users that had it.

    Attributes:
        counts_I: int64 [I].
    """

    counts_I: NDArray[np.int64]

    @classmethod
    def fit(cls, blocks: Iterable[Sequences], num_items: int) -> "Popularity":
        """Count the known events in one pass."""
        return cls(counts_I=count_items(blocks, num_items))

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `visrec.evaluation.scorers.Scorer`."""
        return np.broadcast_to(self.counts_I.astype(np.float32), (len(histories), len(self.counts_I)))


class RecentPopularity(Popularity):
    """`Popularity` over the events of the last days up to the last known event."""

    @classmethod
    def fit(cls, blocks: Iterable[Sequences], num_items: int, *, days: float = 7.0) -> "RecentPopularity":
        """Find the last known event in one pass, count the events of the `days` before it in another."""
        last = max((int(block.times.max()) for block in blocks if len(block.times)), default=0)
        return cls(counts_I=count_items(blocks, num_items, since=last - int(days * DAY_MS)))


def count_items(
    blocks: Iterable[Sequences], num_items: int, *, since: int | None = None
) -> NDArray[np.int64]:
    """Number of users that had each item: int64 [I]; with `since` only events at that time (ms) or later."""
    counts_I = np.zeros(num_items, np.int64)
    for block in blocks:
        items = block.items if since is None else block.items[block.times >= since]
        counts_I += np.bincount(items, minlength=num_items)
    return counts_I
