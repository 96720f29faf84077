"""Array primitives that all rooms share: ragged rows, deterministic top-k, unit vectors, sentinels and units.

Shape suffixes: B rows, M columns, K columns kept, N vectors, D dimensions.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NO_ITEM: Final = -1
"""Padding of arrays of item indices."""
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
"""Milliseconds of a day."""
ITEM_VECTORS: Final = "item_vectors.npy"
"""File of the item vectors, float32 [items, dim], in a checkpoint and in a release."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ragged:
    """Rows of different lengths in one array; row k is `values[offsets[k]:offsets[k + 1]]`.

    Attributes:
        offsets: int64 [rows + 1], rising from 0.
        values: Entries of all rows, one row after the other.

    Example:
        >>> Ragged(offsets=np.array([0, 2, 3]), values=np.array([5, 6, 7])).gather(np.array([1, 0]))
        (array([0, 1, 1]), array([2, 0, 1]))
    """

    offsets: NDArray[np.int64]
    values: NDArray[Any]

    @classmethod
    def from_lists(cls, lists: Any) -> "Ragged":
        """From a pyarrow array, or chunked array, of lists; null counts as an empty list."""
        array = lists.combine_chunks() if hasattr(lists, "combine_chunks") else lists
        array = array.fill_null([])
        lengths = np.asarray(array.value_lengths(), np.int64)
        values = array.flatten().to_numpy(zero_copy_only=False)
        return cls(offsets=np.r_[0, np.cumsum(lengths)], values=values)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, row: int) -> NDArray[Any]:
        """Entries of one row."""
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def gather(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All entries of some rows, one row after the other.

        Returns:
            For each entry its position in `rows`, and its position in `values`.
        """
        starts, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        return _ranges(starts, lengths)

    def last(self, num: int) -> "Ragged":
        """Positions in `values` of the last `num` entries of each row, ragged like the rows.

        Example:
            >>> Ragged(offsets=np.array([0, 3, 4]), values=np.arange(4)).last(2).values
            array([1, 2, 3])
        """
        lengths = np.minimum(np.diff(self.offsets), num)
        _, positions = _ranges(self.offsets[1:] - lengths, lengths)
        return Ragged(offsets=np.r_[0, np.cumsum(lengths)], values=positions)


def top_k(scores_BM: NDArray[np.floating[Any]], k: int) -> NDArray[np.int64]:
    """Columns of the `k` largest values of each row, best first, ties by lower column: int64 [B, min(k, M)].

    Equal to the first `k` columns of a stable descending argsort, without sorting the rest. NaN is not supported.

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


def _ranges(
    starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ranges `starts[k] ... starts[k] + lengths[k] - 1`, one after the other, and the k of each number."""
    owner = np.repeat(np.arange(len(starts)), lengths)
    first = np.cumsum(lengths) - lengths
    return owner, np.arange(len(owner)) + np.repeat(starts - first, lengths)
