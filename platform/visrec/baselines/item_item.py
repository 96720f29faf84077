"""Item-item baselines: item-kNN with BM25 weights, and EASE. Scores are sums over the items of the history."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from visrec.baselines.popularity import count_items
from visrec.data.snapshot import Sequences

_CHUNK_ELEMENTS = 1 << 23
"""Similarities held densely at once (64 MiB, and a few copies); larger catalogues take several passes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemKnn:
    """Item-kNN with BM25 weights (Robertson and Zaragoza 2009), as in the library implicit.

    Items are documents and users their terms. For an item i that n_i users had, and a user u who had m_u items,

        w_iu = idf_u * (k1 + 1) / (k1 * ((1 - b) + b * n_i / mean n) + 1),     idf_u = log I - log(1 + m_u)

    and sim(i, j) = sum over u of w_iu * w_ju. Each item keeps its K nearest, itself among them; the score of j is the
    sum of sim(i, j) over the items i of the history. Since w_iu is a factor of the item times one of the user, one pass
    over the co-occurrences, weighted by idf_u squared, is enough.

    Attributes:
        similarity: scipy CSR matrix float32 [I, I]; row i holds the nearest items of i.
    """

    similarity: Any

    @classmethod
    def fit(
        cls,
        blocks: Iterable[Sequences],
        num_items: int,
        *,
        num_neighbours: int = 100,
        k1: float = 1.2,
        b: float = 0.75,
        counts_I: NDArray[np.int64] | None = None,
        chunk_items: int | None = None,
    ) -> "ItemKnn":
        """Find the nearest items of every item.

        Args:
            blocks: Known events; one pass a chunk.
            num_items: Size of the catalogue.
            num_neighbours: Neighbours kept, the item itself among them.
            k1: Saturation of BM25.
            b: Length normalisation of BM25.
            counts_I: Number of users that had each item; None counts them, which is another pass.
            chunk_items: Items whose similarities are held at once; None bounds the memory instead.
        """
        factor_I = _item_factor(count_items(blocks, num_items) if counts_I is None else counts_I, k1, b)
        step = chunk_items or max(1, _CHUNK_ELEMENTS // num_items)
        rows = []
        for start in range(0, num_items, step):
            chunk = slice(start, min(start + step, num_items))
            similarity_cI = (
                _weighted_co_occurrence(blocks, num_items, chunk) * factor_I[chunk, None] * factor_I[None, :]
            )
            rows.append(_nearest(similarity_cI, num_neighbours))
        return cls(similarity=sparse.vstack(rows, format="csr"))

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `visrec.evaluation.scorers.Scorer`."""
        scores = user_item_matrix(histories, self.similarity.shape[0]) @ self.similarity
        return np.asarray(scores.toarray(), np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ease:
    """EASE (Steck 2019): scores = history x B, where B minimises |X - X B|^2 + lambda |B|^2 with diag B = 0.

    Attributes:
        weights: B, float32 [I, I].
    """

    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, blocks: Iterable[Sequences], num_items: int, *, regularisation: float = 50.0) -> "Ease":
        """One pass for the Gram matrix, then one inversion.

        Takes 8 bytes x I^2 of memory (0.8 GB for 10,000 items) and time in proportion to I^3.
        """
        gram = np.zeros((num_items, num_items), order="F")  # the order that LAPACK overwrites in place
        for block in blocks:
            matrix_UI = user_item_matrix(block, num_items)
            part = (matrix_UI.T @ matrix_UI).tocoo()
            gram[part.row, part.col] += part.data
        gram[np.diag_indices(num_items)] += regularisation
        return cls(weights=_weights(_invert(gram)))

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `visrec.evaluation.scorers.Scorer`."""
        return np.asarray(user_item_matrix(histories, len(self.weights)) @ self.weights, np.float32)


def user_item_matrix(block: Sequences, num_items: int) -> Any:
    """scipy CSR matrix float32 [U, I] with 1 where the user had the item.

    Event kinds and weights do not count: the classic baselines take every positive alike.
    """
    ones = np.ones(len(block.items), np.float32)
    return sparse.csr_matrix((ones, block.items, block.offsets), shape=(len(block), num_items))


def _item_factor(counts_I: NDArray[np.int64], k1: float, b: float) -> NDArray[np.float64]:
    """The item's factor of the BM25 weight: float64 [I]."""
    length_I = (1 - b) + b * counts_I / max(counts_I.mean(), 1e-9)
    return np.asarray((k1 + 1) / (k1 * length_I + 1))


def _user_idf(block: Sequences, num_items: int) -> NDArray[np.float64]:
    """The user's factor of the BM25 weight: float64 [U]. Long histories weigh less."""
    return np.asarray(np.log(num_items) - np.log1p(np.diff(block.offsets)))


def _weighted_co_occurrence(blocks: Iterable[Sequences], num_items: int, chunk: slice) -> NDArray[np.float64]:
    """Sum of the squared idf of the users that had both items: float64 [chunk, I]."""
    total_cI = np.zeros((chunk.stop - chunk.start, num_items))
    for block in blocks:
        matrix_UI = user_item_matrix(block, num_items)
        weighted_UI = sparse.diags_array(_user_idf(block, num_items) ** 2) @ matrix_UI
        part = (matrix_UI[:, chunk].T @ weighted_UI).tocoo()
        total_cI[part.row, part.col] += part.data
    return total_cI


def _nearest(similarity_cI: NDArray[np.float64], num_neighbours: int) -> Any:
    """The largest similarities above 0 of each row, ties by lower index, as a CSR matrix."""
    num_neighbours = min(num_neighbours, similarity_cI.shape[1])
    columns = np.argsort(-similarity_cI, axis=1, kind="stable")[:, :num_neighbours]
    values = np.take_along_axis(similarity_cI, columns, 1)
    rows = np.repeat(np.arange(len(columns)), num_neighbours)
    keep = values.ravel() > 0
    entries = (values.ravel()[keep].astype(np.float32), (rows[keep], columns.ravel()[keep]))
    return sparse.csr_matrix(entries, shape=similarity_cI.shape)


def _invert(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of a symmetric positive definite matrix, computed in place."""
    factor, failed = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    assert failed == 0, f"the Gram matrix is not positive definite (LAPACK {failed})"
    inverse, failed = lapack.dpotri(factor, lower=1, overwrite_c=1)
    assert failed == 0, f"the Gram matrix is singular (LAPACK {failed})"
    for row in range(len(inverse)):  # LAPACK fills the lower half only
        inverse[row, row + 1 :] = inverse[row + 1 :, row]
    return np.asarray(inverse)


def _weights(inverse: NDArray[np.float64]) -> NDArray[np.float32]:
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    weights[np.diag_indices(len(weights))] = 0
    return weights
