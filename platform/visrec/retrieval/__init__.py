"""Nearest items to a query by inner product: exact, or with a faiss index. All kinds keep one contract."""

from visrec.retrieval.base import Retriever, append_bias, append_one
from visrec.retrieval.exact import ExactRetriever
from visrec.retrieval.factory import build_retriever, load_retriever
from visrec.retrieval.faiss_index import FaissRetriever

__all__ = [
    "ExactRetriever",
    "FaissRetriever",
    "Retriever",
    "append_bias",
    "append_one",
    "build_retriever",
    "load_retriever",
]
