"""What every retriever does, and how an item's bias becomes a dimension of its vector.

Shape legend: B queries, I items, D vector size, K results.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM
from visrec.storage import Location


class Retriever(Protocol):
    """Finds the items with the largest inner product.

    Example:
        >>> from visrec.retrieval import build_retriever
        >>> vectors = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
        >>> items, scores = build_retriever("exact", vectors).search(np.array([[2, 1]], np.float32), 2)
        >>> items.tolist(), scores.tolist()
        ([[2, 0]], [[3.0, 2.0]])
    """

    @property
    def num_items(self) -> int:
        """Items in the index."""
        ...

    def search(
        self, queries_BD: NDArray[np.float32], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The best `k` items of each query, best first, ties by lower index.

        Args:
            queries_BD: Vectors of the size that was indexed.
            k: Results a query; may be above the number of items.
            exclude: For each query the items that must not come back.

        Returns:
            Item indices int32 [B, K] and inner products float32 [B, K], padded with -1 and -inf.
        """
        ...

    def save(self, folder: Location) -> None:
        """Write the index into an existing folder."""
        ...


def append_bias(vectors_ID: NDArray[np.float32], biases_I: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stored vectors [x, b]: with queries [q, 1] the inner product is q . x + b."""
    return np.concatenate([vectors_ID, biases_I[:, None]], axis=1, dtype=np.float32)


def append_one(queries_BD: NDArray[np.float32]) -> NDArray[np.float32]:
    """Queries [q, 1] for vectors made by `append_bias`."""
    return np.concatenate([queries_BD, np.ones((len(queries_BD), 1), np.float32)], axis=1, dtype=np.float32)


def checked_queries(queries_BD: NDArray[np.float32], k: int, dim: int) -> NDArray[np.float32]:
    """The queries, contiguous.

    Raises:
        ValueError: They have another size than the stored vectors, or `k` is below 1.
    """
    if queries_BD.ndim != 2 or queries_BD.shape[1] != dim:
        raise ValueError(f"expected queries [B, {dim}], got {list(queries_BD.shape)}")
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}")
    return np.ascontiguousarray(queries_BD, np.float32)


def best_first(
    items_BM: NDArray[np.int32], scores_BM: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The first `k` of the candidates in order of (score falling, item rising); places at -inf hold no item."""
    order_BK = np.lexsort((items_BM, -scores_BM), axis=-1)[:, :k]
    scores_BK = np.take_along_axis(scores_BM, order_BK, axis=1)
    items_BK = np.take_along_axis(items_BM, order_BK, axis=1)
    items_BK[np.isneginf(scores_BK)] = NO_ITEM
    missing = ((0, 0), (0, k - items_BK.shape[1]))
    return np.pad(items_BK, missing, constant_values=NO_ITEM), np.pad(
        scores_BK, missing, constant_values=-np.inf
    )


def drop_excluded(
    items_BM: NDArray[np.int32], scores_BM: NDArray[np.float32], exclude: Sequence[NDArray[np.int32]] | None
) -> None:
    """Set the score of excluded items to -inf, in place.

    Raises:
        ValueError: There is not one exclusion list a query.
    """
    if exclude is None:
        return
    if len(exclude) != len(items_BM):
        raise ValueError(
            f"expected one list of excluded items for each of {len(items_BM)} queries, got {len(exclude)}"
        )
    for items, scores, excluded in zip(items_BM, scores_BM, exclude, strict=True):
        scores[np.isin(items, excluded)] = -np.inf
