"""The retriever stage: candidates for a query vector, from the indexes of one release."""

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import NO_ITEM, unit_vectors
from visrec.recommend.types import Candidates, IndexName
from visrec.releases import Release
from visrec.retrieval import Retriever


class CandidateRetriever:
    """Search in the two indexes of a release.

    Example:
        >>> retriever = CandidateRetriever.load(release)                              # doctest: +SKIP
        >>> retriever.search("scores", query_D, k=200, exclude=seen).items            # doctest: +SKIP
    """

    def __init__(
        self, *, scores: Retriever, similar: Retriever, similar_vectors_ID: NDArray[np.float32]
    ) -> None:
        self._indexes: dict[IndexName, Retriever] = {"scores": scores, "similar": similar}
        self._similar_vectors_ID = similar_vectors_ID

    @classmethod
    def load(cls, release: Release) -> "CandidateRetriever":
        """From a release."""
        return cls(
            scores=release.score_index(),
            similar=release.similar_index(),
            similar_vectors_ID=release.similar_vectors(),
        )

    def search(
        self, index: IndexName, vector_D: NDArray[np.float32], *, k: int, exclude: NDArray[np.int32]
    ) -> Candidates:
        """The best `k` items for a query vector, without those in `exclude`."""
        items_1K, scores_1K = self._indexes[index].search(vector_D[None], k, [exclude])
        found = items_1K[0] != NO_ITEM
        return Candidates(items=items_1K[0][found], scores=scores_1K[0][found], exhausted=not found.all())

    def neighbours(self, item: int, *, k: int) -> Candidates:
        """The `k` items nearest to an item of the catalogue by cosine, without the item itself."""
        vector_1D = unit_vectors(self._similar_vectors_ID[item : item + 1])
        return self.search("similar", vector_1D[0], k=k, exclude=np.array([item], np.int32))
