"""How much of the catalogue the lists show, and how evenly."""

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.top_lists import NO_ITEM


def recommendation_counts(lists_UK: NDArray[np.int32], num_items: int) -> NDArray[np.int64]:
    """In how many lists each item stands: int64 [I]."""
    return np.bincount(lists_UK[lists_UK != NO_ITEM], minlength=num_items)


def coverage(counts: NDArray[np.int64]) -> float:
    """Share of the items that stand in at least one list."""
    return float((counts > 0).mean())


def gini(counts: NDArray[np.int64]) -> float:
    """Gini coefficient of the counts: 0 where all items are shown equally often, towards 1 where few take all.

    Example:
        >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
        (0.0, 0.75)
    """
    total = counts.sum()
    if total == 0:
        return 0.0
    ascending = np.sort(counts)
    places = np.arange(1, len(counts) + 1)
    return float((2 * places - len(counts) - 1) @ ascending / (len(counts) * total))
