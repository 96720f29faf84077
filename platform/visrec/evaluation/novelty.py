"""How little known the recommended items are."""

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.top_lists import NO_ITEM


def self_information(counts: NDArray[np.int64], num_users: int) -> NDArray[np.float64]:
    """Surprise of each item in bits: -log2 of the share of users that had it (Zhou et al. 2010), float64 [I].

    One is added to both counts, so that an item that nobody had is finite: just above one that a single user had.
    """
    return np.asarray(-np.log2((counts + 1) / (num_users + 1)))


def novelty(lists_UK: NDArray[np.int32], bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean self-information of each user's list: float64 [U]; 0 for an empty list."""
    there = lists_UK != NO_ITEM
    total = np.where(there, bits[np.where(there, lists_UK, 0)], 0.0).sum(1)
    return np.asarray(total / np.maximum(there.sum(1), 1))
