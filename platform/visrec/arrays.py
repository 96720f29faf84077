"""Array primitives that several rooms share: ragged rows, deterministic top-k, unit vectors, sentinels, units of time.

Shape legend: B rows, M columns, K columns kept, N vectors, D dimensions.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NO_ITEM: Final = -1
"""Fills places of item-index arrays that hold no item."""
DAY_MS: Final = 86_400_000
"""Milliseconds of a day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ragged:
    """Rows of different lengths in one array; row k is `values[offsets[k]:offsets[k + 1]]`.

    Example:
        >>> Ragged(offsets=np.array([0, 2, 3]), values=np.array([5, 6, 7])).gather(np.array([1, 0]))
        (array([0, 1, 1]), array([2, 0, 1]))
    """

    offsets: NDArray[np.int64]
    values: NDArray[Any]

    def gather(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All entries of some rows, one after the other: which of `rows` each belongs to, and its place in `values`."""
        starts, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        owner = np.repeat(np.arange(len(rows)), lengths)
        first = np.cumsum(lengths) - lengths
        return owner, np.arange(len(owner)) + np.repeat(starts - first, lengths)


def top_k(scores_BM: NDArray[np.floating[Any]], k: int) -> NDArray[np.int64]:
    """Columns of the `k` largest values of each row, best first, equal values by column: int64 [B, min(k, M)].

    Sorts only what can belong to the result. NaN is not supported.

    Example:
        >>> top_k(np.array([[1.0, 3.0, 3.0, 2.0]]), 3)
        array([[1, 2, 3]])
    """
    num_rows, num_columns = scores_BM.shape
    if k >= num_columns:
        return np.argsort(-scores_BM, axis=1, kind="stable")
    places_BK = np.empty((num_rows, k), np.int64)
    kth_B = np.partition(scores_BM, num_columns - k, axis=1)[:, num_columns - k]
    for row in range(num_rows):
        # All that reach the k-th score, with every tie at the edge; the stable sort then lets lower columns win.
        reach = np.flatnonzero(scores_BM[row] >= kth_B[row])
        places_BK[row] = reach[np.argsort(-scores_BM[row, reach], kind="stable")[:k]]
    return places_BK


def unit_vectors(vectors_ND: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors scaled to length 1, so that inner products are cosines; zero vectors stay zero.

    Example:
        >>> unit_vectors(np.array([[3, 4], [0, 0]], np.float32)).round(1).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths_N1 = np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    return np.asarray(vectors_ND / np.where(lengths_N1 > 0, lengths_N1, 1), np.float32)
