"""The interface of a retriever, and retrievers by the kind that the configuration names.

Shape suffixes: B queries, I items, D vector size, K results.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.errors import ArtifactError
from visrec.retrieval.common import read_facts
from visrec.retrieval.exact import ExactRetriever
from visrec.retrieval.faiss_index import FAISS_KINDS, FaissKind, FaissRetriever
from visrec.storage import Location

RetrieverKind = Literal["exact"] | FaissKind


class Retriever(Protocol):
    """Finds the items with the largest inner product.

    Example:
        >>> retriever = build_retriever("faiss_hnsw", append_bias(vectors_ID, biases_I))    # doctest: +SKIP
        >>> items_BK, scores_BK = retriever.search(append_one(queries_BD), k=200)           # doctest: +SKIP
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
            k: Results per query; may exceed the number of items.
            exclude: For each query the items that must not be returned.

        Returns:
            Item indices int32 [B, K] and inner products float32 [B, K], padded with `NO_ITEM` and -inf.

        Raises:
            ValueError: The queries have another size, `k` is below 1, or there is not one exclusion list a query.
        """
        ...

    def save(self, folder: Location) -> None:
        """Write the index into an existing folder; `load_retriever` reads it."""
        ...


def build_retriever(kind: RetrieverKind, vectors_ID: NDArray[np.float32], *, seed: int = 0) -> Retriever:
    """Index vectors with a retriever of the given kind.

    Args:
        kind: As in `release.index` of the configuration.
        vectors_ID: Vectors of the items; see `append_bias` where items have biases.
        seed: Of the clusters of an inverted file.
    """
    if kind == "exact":
        return ExactRetriever(vectors_ID)
    return FaissRetriever.build(kind, vectors_ID, seed=seed)


def load_retriever(folder: Location) -> Retriever:
    """Read an index of any kind.

    Raises:
        ArtifactError: There is none, it is damaged, or it has another format.
    """
    kind = read_facts(folder).get("kind")
    if kind == ExactRetriever.kind:
        return ExactRetriever.load(folder)
    if kind in FAISS_KINDS:
        return FaissRetriever.load(folder)
    known = ", ".join((ExactRetriever.kind, *FAISS_KINDS))
    raise ArtifactError(f"expected an index of kind {known} at {folder}, got {kind!r}")


def append_bias(vectors_ID: NDArray[np.float32], biases_I: NDArray[np.float32]) -> NDArray[np.float32]:
    """Item vectors [x, b]: with queries [q, 1] the inner product is q . x + b."""
    return np.concatenate([vectors_ID, biases_I[:, None]], axis=1, dtype=np.float32)


def append_one(queries_BD: NDArray[np.float32]) -> NDArray[np.float32]:
    """Queries [q, 1] for vectors made by `append_bias`."""
    return np.concatenate([queries_BD, np.ones((len(queries_BD), 1), np.float32)], axis=1, dtype=np.float32)
