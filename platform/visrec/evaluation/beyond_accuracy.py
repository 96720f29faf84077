"""Beyond-accuracy metrics of recommended lists: catalogue coverage, Gini, novelty, intra-list diversity.

Shape legend: U users, K length of a list, I items, D vector size, C categories. Lists hold item indices; `NO_ITEM`
fills short ones.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from visrec.arrays import NO_ITEM


def recommendation_counts(lists_UK: NDArray[np.int32], num_items: int) -> NDArray[np.int64]:
    """Number of lists that hold each item: int64 [I]."""
    return np.bincount(lists_UK[lists_UK != NO_ITEM], minlength=num_items)


def coverage(counts_I: NDArray[np.int64]) -> float:
    """Share of the items that are in at least one list."""
    return float((counts_I > 0).mean())


def gini(counts_I: NDArray[np.int64]) -> float:
    """Gini coefficient of the counts: 0 where all items are recommended equally often, towards 1 where few take all.

    Example:
        >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
        (0.0, 0.75)
    """
    total = counts_I.sum()
    if total == 0:
        return 0.0
    ascending = np.sort(counts_I)
    positions = np.arange(1, len(counts_I) + 1)
    return float((2 * positions - len(counts_I) - 1) @ ascending / (len(counts_I) * total))


def self_information(counts_I: NDArray[np.int64], num_users: int) -> NDArray[np.float64]:
    """Self-information of each item in bits: -log2 of the share of users that had it (Zhou et al. 2010), float64 [I].

    Both counts are one higher, so that an item that nobody had is finite.
    """
    return np.asarray(-np.log2((counts_I + 1) / (num_users + 1)))


def novelty(lists_UK: NDArray[np.int32], self_information_I: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean self-information of each list: float64 [U]; 0 for an empty list."""
    valid_UK = lists_UK != NO_ITEM
    total_U = np.where(valid_UK, self_information_I[np.where(valid_UK, lists_UK, 0)], 0.0).sum(1)
    return np.asarray(total_U / np.maximum(valid_UK.sum(1), 1))


def vector_diversity(
    lists_UK: NDArray[np.int32], unit_vectors_ID: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Intra-list diversity by vectors (Ziegler et al. 2005): mean of 1 - cosine over the pairs of each list.

    Args:
        lists_UK: Recommended items.
        unit_vectors_ID: Vectors of length 1 (or 0), see `visrec.arrays.unit_vectors`.

    Returns:
        float64 [U] from 0 to 2; 0 for lists of fewer than two items.
    """
    valid_UK = lists_UK != NO_ITEM
    vectors_UKD = unit_vectors_ID[np.where(valid_UK, lists_UK, 0)] * valid_UK[..., None]
    # |sum of vectors|^2 is the sum of their squares plus twice the cosines of all pairs.
    total_U = (vectors_UKD.sum(1, dtype=np.float64) ** 2).sum(1)
    own_U = (vectors_UKD.astype(np.float64) ** 2).sum((1, 2))
    count_U = valid_UK.sum(1)
    pairs_U = count_U * (count_U - 1) / 2
    return np.where(pairs_U > 0, 1 - (total_U - own_U) / 2 / np.maximum(pairs_U, 1), 0.0)


def attribute_diversity(lists_UK: NDArray[np.int32], categories_IC: Any) -> NDArray[np.float64]:
    """Intra-list diversity by categories: mean of 1 - Jaccard similarity over the pairs of each list, float64 [U].

    Two items without categories do not differ. Pairs with a missing item do not count.

    Args:
        lists_UK: Recommended items.
        categories_IC: See `category_matrix`.
    """
    valid_UK = lists_UK != NO_ITEM
    columns = [categories_IC[np.where(valid_UK[:, k], lists_UK[:, k], 0)] for k in range(lists_UK.shape[1])]
    sizes = [np.asarray(c.sum(1), np.float64).ravel() for c in columns]
    total_U, pairs_U = np.zeros(len(lists_UK)), np.zeros(len(lists_UK))
    for a, b in combinations(range(len(columns)), 2):
        shared = np.asarray(columns[a].multiply(columns[b]).sum(1), np.float64).ravel()
        union = sizes[a] + sizes[b] - shared
        distance = np.where(union > 0, 1 - shared / np.maximum(union, 1), 0.0)
        both = valid_UK[:, a] & valid_UK[:, b]
        total_U += np.where(both, distance, 0.0)
        pairs_U += both
    return np.asarray(total_U / np.maximum(pairs_U, 1))


def category_matrix(categories: Sequence[Sequence[str] | None]) -> Any:
    """scipy CSR matrix float32 [I, C], 1 where the item is of the category; None where no item has any."""
    names = sorted({name for row in categories for name in row or ()})
    if not names:
        return None
    column = {name: index for index, name in enumerate(names)}
    columns = [[column[name] for name in sorted(set(row or ()))] for row in categories]
    offsets = np.cumsum([0, *map(len, columns)])
    flat = np.array([c for row in columns for c in row], np.int64)
    return sparse.csr_matrix(
        (np.ones(len(flat), np.float32), flat, offsets), shape=(len(categories), len(names))
    )
