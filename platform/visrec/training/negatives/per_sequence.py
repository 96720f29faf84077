"""Per-sequence negatives: items that are negatives of one sequence, from mining or from explicit negative feedback.

Shape legend: B sequences, K per-sequence negatives.
"""

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
        weights_BK: Weight of each, float32; 0 where a sequence has fewer.
    """

    items_BK: NDArray[np.int64]
    from_BK: NDArray[np.int64]
    weights_BK: NDArray[np.float32]

    @classmethod
    def at_every_position(cls, items_BK: NDArray[np.int64]) -> "PerSequenceNegatives":
        """Negatives of weight 1 at every position."""
        return cls(
            items_BK=items_BK,
            from_BK=np.zeros(items_BK.shape, np.int64),
            weights_BK=(items_BK != NO_ITEM).astype(np.float32),
        )

    @classmethod
    def concatenate(
        cls, sources: Sequence["PerSequenceNegatives"], num_sequences: int
    ) -> "PerSequenceNegatives":
        """Negatives of all sources side by side; without sources [B, 0]."""
        empty = cls.at_every_position(np.zeros((num_sequences, 0), np.int64))
        every = [empty, *sources]
        return cls(
            items_BK=np.concatenate([s.items_BK for s in every], axis=1),
            from_BK=np.concatenate([s.from_BK for s in every], axis=1),
            weights_BK=np.concatenate([s.weights_BK for s in every], axis=1),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NegativeFeedback:
    """Negative events (skip, dislike, hide) of one user, in time order.

    Attributes:
        items: Item indices.
        times: Milliseconds.
        strengths: Strength of each event's kind, above 0.
    """

    items: NDArray[np.int32]
    times: NDArray[np.int64]
    strengths: NDArray[np.float32]


def explicit_negatives(
    feedback: Sequence[NegativeFeedback],
    target_times: Sequence[NDArray[np.int64]],
    *,
    limit: int,
    weight: float,
) -> PerSequenceNegatives:
    """Explicit negatives: an item with negative feedback is a negative of each target at or after the event.

    So no feedback from after a target enters its loss. Of more than `limit` usable events the latest are kept.

    Args:
        feedback: Negative events of the user of each sequence.
        target_times: Times of each sequence's targets, ascending.
        limit: Most negatives of a sequence.
        weight: Weight of a negative of strength 1.
    """
    firsts = [np.searchsorted(times, f.times) for f, times in zip(feedback, target_times, strict=True)]
    usable = [np.flatnonzero(f < len(t))[-limit:] for f, t in zip(firsts, target_times, strict=True)]
    shape = (len(feedback), max((len(u) for u in usable), default=0))
    items_BK, from_BK = np.full(shape, NO_ITEM, np.int64), np.zeros(shape, np.int64)
    weights_BK = np.zeros(shape, np.float32)
    for row, chosen in enumerate(usable):
        columns = slice(0, len(chosen))
        items_BK[row, columns] = feedback[row].items[chosen]
        from_BK[row, columns] = firsts[row][chosen]
        weights_BK[row, columns] = weight * feedback[row].strengths[chosen]
    return PerSequenceNegatives(items_BK=items_BK, from_BK=from_BK, weights_BK=weights_BK)
