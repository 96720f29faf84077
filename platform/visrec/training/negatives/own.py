"""Negatives that belong to one sequence. Shape legend: B sequences, K own negatives of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_ITEM = -1


@dataclass(frozen=True)
class OwnNegatives:
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
    def everywhere(cls, items_BK: NDArray[np.int64]) -> "OwnNegatives":
        """Negatives at every position, each of which counts once."""
        return cls(items_BK, np.zeros(items_BK.shape, np.int64), (items_BK != NO_ITEM).astype(np.float32))

    @classmethod
    def join(cls, sources: Sequence["OwnNegatives"], num_sequences: int) -> "OwnNegatives":
        """Those of all sources side by side."""
        none = cls.everywhere(np.zeros((num_sequences, 0), np.int64))
        every = [none, *sources]
        return cls(
            np.concatenate([s.items_BK for s in every], axis=1),
            np.concatenate([s.from_BK for s in every], axis=1),
            np.concatenate([s.weights_BK for s in every], axis=1),
        )
