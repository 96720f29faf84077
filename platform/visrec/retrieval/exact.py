"""Exact search: every inner product is computed, in blocks of items so that memory stays bounded."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import top_k
from visrec.retrieval.base import best_first, checked_queries, drop_excluded
from visrec.retrieval.files import read_array, write_array
from visrec.storage import Location

BLOCK_ITEMS = 1 << 16


class ExactRetriever:
    """Brute force over the vectors; see `Retriever` for the contract."""

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
        """The best `k` items of each query."""
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
        """Write the vectors."""
        write_array(folder, self._vectors_ID)

    @classmethod
    def load(cls, folder: Location) -> "ExactRetriever":
        """Read what `save` wrote.

        Raises:
            ArtifactError: It is missing or damaged.
        """
        return cls(read_array(folder))
