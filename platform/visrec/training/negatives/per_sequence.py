"""Explicit negatives: what a user skipped, disliked or hid. Shape legend: B sequences, K explicit negatives of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM


@dataclass(frozen=True, kw_only=True, slots=True)
class PerSequenceNegatives:
    """Items that are negatives of one sequence only.

    Attributes:
        items_BK: Item indices, int64; `NO_ITEM` where a sequence has fewer.
        from_BK: First position of the window at which each is a negative, int64.
        weights_BK: How many times each counts, float32; 0 where there is none.
    """

    items_BK: NDArray[np.int64]
    from_BK: NDArray[np.int64]
    weights_BK: NDArray[np.float32]

    @classmethod
    def everywhere(cls, items_BK: NDArray[np.int64]) -> "PerSequenceNegatives":
        """Negatives at every position, each of which counts once."""
        return cls(
            items_BK=items_BK,
            from_BK=np.zeros(items_BK.shape, np.int64),
            weights_BK=(items_BK != NO_ITEM).astype(np.float32),
        )

    @classmethod
    def join(cls, sources: Sequence["PerSequenceNegatives"], num_sequences: int) -> "PerSequenceNegatives":
        """Those of all sources side by side."""
        none = cls.everywhere(np.zeros((num_sequences, 0), np.int64))
        every = [none, *sources]
        return cls(
            items_BK=np.concatenate([s.items_BK for s in every], axis=1),
            from_BK=np.concatenate([s.from_BK for s in every], axis=1),
            weights_BK=np.concatenate([s.weights_BK for s in every], axis=1),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """Events of one user that say no, in order of time.

    Attributes:
        items: Item indices.
        times: Milliseconds.
        strengths: Of the kinds of event, above 0.
    """

    items: NDArray[np.int32]
    times: NDArray[np.int64]
    strengths: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.items)

    def only(self, keep: NDArray[np.bool_]) -> "Rejected":
        """Those where `keep` is true."""
        return Rejected(items=self.items[keep], times=self.times[keep], strengths=self.strengths[keep])


def explicit_negatives(
    rejected: Sequence[Rejected], target_times: Sequence[NDArray[np.int64]], *, limit: int, weight: float
) -> PerSequenceNegatives:
    """A rejected item is a negative at each position whose target came at or after the event.

    So nothing of a later time than the training's targets gets in. Of more than `limit` the latest stay.

    Args:
        rejected: Of the user of each sequence.
        target_times: Times of each sequence's targets, ascending.
        limit: Most negatives of a sequence.
        weight: Times the strength of the event.
    """
    firsts = [np.searchsorted(times, r.times) for r, times in zip(rejected, target_times, strict=True)]
    usable = [np.flatnonzero(f < len(t))[-limit:] for f, t in zip(firsts, target_times, strict=True)]
    width = max((len(u) for u in usable), default=0)
    shape = (len(rejected), width)
    items_BK, from_BK = np.full(shape, NO_ITEM, np.int64), np.zeros(shape, np.int64)
    weights_BK = np.zeros(shape, np.float32)
    for row, chosen in enumerate(usable):
        places = slice(0, len(chosen))
        items_BK[row, places] = rejected[row].items[chosen]
        from_BK[row, places] = firsts[row][chosen]
        weights_BK[row, places] = weight * rejected[row].strengths[chosen]
    return PerSequenceNegatives(items_BK=items_BK, from_BK=from_BK, weights_BK=weights_BK)
