"""A retriever by the name that the configuration gives it."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from visrec.errors import ArtifactError
from visrec.retrieval.base import Retriever
from visrec.retrieval.exact import ExactRetriever
from visrec.retrieval.faiss_index import FaissKind, FaissRetriever
from visrec.retrieval.files import read_facts
from visrec.storage import Location

RetrieverKind = Literal["exact"] | FaissKind


def build_retriever(kind: RetrieverKind, vectors_ID: NDArray[np.float32], *, seed: int = 0) -> Retriever:
    """Index vectors with the named kind; biases go in by `append_bias` first."""
    if kind == "exact":
        return ExactRetriever(vectors_ID)
    return FaissRetriever.build(kind, vectors_ID, seed=seed)


def load_retriever(folder: Location) -> Retriever:
    """Read an index of whatever kind is there.

    Raises:
        ArtifactError: There is none, or it is damaged.
    """
    kind = read_facts(folder).get("kind")
    if kind == ExactRetriever.kind:
        return ExactRetriever.load(folder)
    if kind in ("faiss_flat", "faiss_hnsw", "faiss_ivf"):
        return FaissRetriever.load(folder)
    raise ArtifactError(f"the index at {folder} is of an unknown kind: {kind!r}")
