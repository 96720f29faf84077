"""Exact search by brute force, in blocks of items so that memory stays bounded.

Shape suffixes: B queries, I items, D vector size, M items of a block, K results.
"""

import io
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import top_k
from visrec.errors import ArtifactError
from visrec.retrieval.common import best_first, checked_queries, drop_excluded, read_index, write_index
from visrec.storage import Location

BLOCK_ITEMS = 1 << 16
"""Items scored at once."""


class ExactRetriever:
    """Computes every inner product; see `Retriever` for the contract.

    Example:
        >>> retriever = ExactRetriever(np.eye(3, dtype=np.float32))
        >>> retriever.search(np.array([[3, 1, 2]], np.float32), k=2)[0].tolist()
        [[0, 2]]
    """

    kind: ClassVar[str] = "exact"

    def __init__(self, vectors_ID: NDArray[np.float32]) -> None:
        self._vectors_ID = np.ascontiguousarray(vectors_ID, np.float32)

    @property
    def num_items(self) -> int:
        """Items in the index."""
        return len(self._vectors_ID)

    def search(
        self, queries_BD: NDArray[np.float32], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See `Retriever.search`."""
        queries_BD = checked_queries(queries_BD, k, self._vectors_ID.shape[1])
        items_BK = np.empty((len(queries_BD), 0), np.int32)
        scores_BK = np.empty((len(queries_BD), 0), np.float32)
        for start in range(0, self.num_items, BLOCK_ITEMS):
            block_BM = queries_BD @ self._vectors_ID[start : start + BLOCK_ITEMS].T
            index_BM = np.broadcast_to(
                np.arange(start, start + block_BM.shape[1], dtype=np.int32), block_BM.shape
            )
            drop_excluded(index_BM, block_BM, exclude)
            found = top_k(block_BM, k)
            items_BK = np.concatenate([items_BK, np.take_along_axis(index_BM, found, 1)], axis=1)
            scores_BK = np.concatenate([scores_BK, np.take_along_axis(block_BM, found, 1)], axis=1)
            items_BK, scores_BK = best_first(items_BK, scores_BK, k)
        return best_first(items_BK, scores_BK, k)

    def save(self, folder: Location) -> None:
        """See `Retriever.save`."""
        buffer = io.BytesIO()
        np.save(buffer, self._vectors_ID, allow_pickle=False)
        write_index(folder, buffer.getvalue(), kind=self.kind)

    @classmethod
    def load(cls, folder: Location) -> "ExactRetriever":
        """Read what `save` wrote.

        Raises:
            ArtifactError: It is missing or damaged.
        """
        try:
            vectors_ID = np.load(io.BytesIO(read_index(folder)), allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ArtifactError(f"expected the vectors of an exact index at {folder}: {error}") from None
        if vectors_ID.ndim != 2 or vectors_ID.dtype != np.float32:
            raise ArtifactError(
                f"expected float32 [items, dim] in the index at {folder}, got {vectors_ID.dtype}"
                f" {list(vectors_ID.shape)}"
            )
        return cls(vectors_ID)
