"""Nearest items to a query by inner product: exact search, and faiss indexes, behind one interface.

Example:
    >>> import numpy as np
    >>> vectors = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    >>> items, scores = build_retriever("exact", vectors).search(np.array([[2, 1]], np.float32), k=2)
    >>> items.tolist(), scores.tolist()
    ([[2, 0]], [[3.0, 2.0]])
"""

from visrec.retrieval.exact import ExactRetriever
from visrec.retrieval.faiss_index import FaissRetriever
from visrec.retrieval.retriever import (
    Retriever,
    RetrieverKind,
    append_bias,
    append_one,
    build_retriever,
    load_retriever,
)

__all__ = [
    "ExactRetriever",
    "FaissRetriever",
    "Retriever",
    "RetrieverKind",
    "append_bias",
    "append_one",
    "build_retriever",
    "load_retriever",
]
