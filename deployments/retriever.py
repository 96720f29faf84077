"""The retriever: candidates for a query from the indexes of one release."""

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import unit_vectors
from visrec.deployments.loaded import ReleaseActor
from visrec.recommend.types import Candidates, Space
from visrec.releases import Release
from visrec.retrieval import Retriever


class CandidateRetriever:
    """Searches the two indexes of a release.

    Example:
        >>> finder = CandidateRetriever.load(release)                                   # doctest: +SKIP
        >>> finder.search("scores", query_D, 200, exclude=seen).items                # doctest: +SKIP
    """

    def __init__(
        self, scores: Retriever, similar: Retriever, similar_vectors_ID: NDArray[np.float32]
    ) -> None:
        self._indexes: dict[Space, Retriever] = {"scores": scores, "similar": similar}
        self._similar_vectors_ID = similar_vectors_ID

    @classmethod
    def load(cls, release: Release) -> "CandidateRetriever":
        """From a release."""
        return cls(release.score_index(), release.similar_index(), release.similar_vectors())

    def search(
        self, space: Space, vector_D: NDArray[np.float32], k: int, exclude: NDArray[np.int32]
    ) -> Candidates:
        """The best `k` items for a query vector, without those excluded."""
        items_1K, scores_1K = self._indexes[space].search(vector_D[None], k, [exclude])
        found = items_1K[0] >= 0
        return Candidates(items=items_1K[0][found], scores=scores_1K[0][found], complete=not found.all())

    def neighbours(self, item: int, k: int) -> Candidates:
        """What looks most like an item of the catalogue, without the item itself."""
        vector_1D = unit_vectors(self._similar_vectors_ID[item : item + 1])
        return self.search("similar", vector_1D[0], k, np.array([item], np.int32))


class RetrieverDeployment(ReleaseActor[CandidateRetriever]):
    """The retriever as a Serve deployment."""

    def __init__(self, workspace: str, release: str) -> None:
        super().__init__(workspace, release, CandidateRetriever.load)

    def search(
        self, release: str, space: Space, vector_D: NDArray[np.float32], k: int, exclude: NDArray[np.int32]
    ) -> Candidates:
        """See `CandidateRetriever.search`."""
        return self._releases.get(release).search(space, vector_D, k, exclude)

    def neighbours(self, release: str, item: int, k: int) -> Candidates:
        """See `CandidateRetriever.neighbours`."""
        return self._releases.get(release).neighbours(item, k)
