"""Vector indexes of faiss (Johnson, Douze & Jegou 2017): flat, HNSW graph, inverted file.

Shape suffixes: B queries, I items, D vector size, M candidates, K results.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

import faiss as typed_faiss
import numpy as np
from numpy.typing import NDArray

from visrec.errors import ArtifactError, first_line
from visrec.retrieval.common import (
    best_first,
    checked_queries,
    drop_excluded,
    read_facts,
    read_index,
    write_index,
)
from visrec.storage import Location

faiss: Any = typed_faiss
"""Untyped: the stubs of faiss know neither the search parameters nor the concrete indexes."""

FaissKind = Literal["faiss_flat", "faiss_hnsw", "faiss_ivf"]
FAISS_KINDS: tuple[FaissKind, ...] = get_args(FaissKind)

TIE_MARGIN = 8
"""Items fetched beyond `k`, to see whether the k-th score ties with the next."""
HNSW_NEIGHBOURS = 32
HNSW_CONSTRUCTION = 200
HNSW_SEARCH = 128
IVF_MIN_LIST = 39
"""Least number of training points per list; faiss warns of poor clusters below it."""
IVF_PROBED_SHARE = 0.2
"""Least share of the lists that a search probes."""
IVF_REACH = 4
"""Probed lists hold about so many times the items that are fetched."""

_CLASSES: dict[str, Any] = {
    "faiss_flat": faiss.IndexFlat,
    "faiss_hnsw": faiss.IndexHNSWFlat,
    "faiss_ivf": faiss.IndexIVFFlat,
}


class FaissRetriever:
    """A faiss index behind the contract of `Retriever`.

    Every kind searches by inner product on the unmodified vectors. For HNSW that beats the usual reduction to
    Euclidean distance by an extra dimension (recall@20 of 1.00 against 0.86 where lengths differ tenfold).
    Scores are recomputed from the stored vectors, so that every kind returns the same numbers.

    Example:
        >>> retriever = FaissRetriever.build("faiss_flat", np.eye(3, dtype=np.float32))
        >>> retriever.search(np.array([[3, 1, 2]], np.float32), k=2)[0].tolist()
        [[0, 2]]
    """

    def __init__(self, kind: FaissKind, index: Any) -> None:
        self.kind = kind
        self._index = index

    @classmethod
    def build(cls, kind: FaissKind, vectors_ID: NDArray[np.float32], *, seed: int = 0) -> "FaissRetriever":
        """Index vectors; `seed` is that of the clusters of an inverted file."""
        vectors_ID = np.ascontiguousarray(vectors_ID, np.float32)
        num_items, dim = vectors_ID.shape
        if kind == "faiss_flat":
            index = faiss.IndexFlatIP(dim)
            index.add(vectors_ID)
        elif kind == "faiss_hnsw":
            index = faiss.IndexHNSWFlat(dim, HNSW_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = HNSW_CONSTRUCTION
            with (
                _one_thread()
            ):  # with several threads the order of insertion, and so the graph, differs from run to run
                index.add(vectors_ID)
        else:
            num_lists = max(1, min(round(4 * num_items**0.5), num_items // IVF_MIN_LIST))
            index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, num_lists, faiss.METRIC_INNER_PRODUCT)
            index.cp.seed = seed
            index.cp.min_points_per_centroid = 1
            if num_items:
                index.train(vectors_ID)
                index.add(vectors_ID)
            index.make_direct_map()
        return cls(kind, index)

    @property
    def num_items(self) -> int:
        """Items in the index."""
        return int(self._index.ntotal)

    def search(
        self, queries_BD: NDArray[np.float32], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See `Retriever.search`; approximate for `faiss_hnsw` and `faiss_ivf`."""
        queries_BD = checked_queries(queries_BD, k, self._index.d)
        if not len(queries_BD) or not self.num_items:
            shape = (len(queries_BD), 0)
            return best_first(np.empty(shape, np.int32), np.empty(shape, np.float32), k)
        fetch = k + TIE_MARGIN + max((len(e) for e in exclude or ()), default=0)
        while True:
            fetch = min(fetch, self.num_items)
            items_BM, scores_BM = self._candidates(queries_BD, fetch)
            worst_B = scores_BM.min(axis=1)
            drop_excluded(items_BM, scores_BM, exclude)
            items_BK, scores_BK = best_first(items_BM, scores_BM, k)
            # A k-th score equal to the worst fetched may tie with items that were not fetched. Where the index found
            # fewer than requested (worst is -inf), there is no more to fetch.
            undecided_B = (scores_BK[:, -1] <= worst_B) & ~np.isneginf(worst_B)
            if fetch == self.num_items or not undecided_B.any():
                return items_BK, scores_BK
            fetch *= 4

    def save(self, folder: Location) -> None:
        """See `Retriever.save`."""
        write_index(folder, faiss.serialize_index(self._index).tobytes(), kind=self.kind)

    @classmethod
    def load(cls, folder: Location) -> "FaissRetriever":
        """Read what `save` wrote.

        Raises:
            ArtifactError: It is missing or damaged.
        """
        kind: Any = read_facts(folder).get("kind")
        try:
            index = faiss.deserialize_index(np.frombuffer(read_index(folder), np.uint8))
        except RuntimeError as error:
            raise ArtifactError(f"faiss cannot read the index at {folder}: {first_line(error)}") from None
        if kind not in _CLASSES or not isinstance(index, _CLASSES[kind]):
            raise ArtifactError(f"expected an index of kind {kind} at {folder}, got {type(index).__name__}")
        return cls(kind, index)

    def _candidates(
        self, queries_BD: NDArray[np.float32], fetch: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Items [B, M] that the index finds, and their inner products; -1 and -inf where it finds fewer."""
        _, found_BM = self._index.search(queries_BD, fetch, params=self._parameters(fetch))
        stored_BMD = self._index.reconstruct_batch(np.maximum(found_BM, 0).ravel()).reshape(
            *found_BM.shape, -1
        )
        scores_BM = np.einsum("bd,bmd->bm", queries_BD, stored_BMD)
        scores_BM[found_BM < 0] = -np.inf
        return found_BM.astype(np.int32), scores_BM

    def _parameters(self, fetch: int) -> Any:
        # Per search and not set on the index: searches run in several threads.
        if self.kind == "faiss_hnsw":
            return faiss.SearchParametersHNSW(efSearch=max(HNSW_SEARCH, fetch))
        if self.kind == "faiss_ivf":
            share = max(IVF_PROBED_SHARE, min(1.0, IVF_REACH * fetch / self.num_items))
            return faiss.SearchParametersIVF(nprobe=max(1, round(share * self._index.nlist)))
        return None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use a single OpenMP thread in faiss within the block."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
