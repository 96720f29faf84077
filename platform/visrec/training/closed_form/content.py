"""Ridge regression of item vectors on content: picture features and attribute indicators, jointly.

Shape legend: N items, F picture features, A attribute indicators, C columns of all kinds, D vector size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack
from torch import nn

from visrec.models.item_tower import AttributeEmbedding

PICTURES, ATTRIBUTES = "pictures", "attributes"
"""Kinds of columns; each has a ridge of its own."""
_RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Ridges among which leave-one-out chooses."""
_START: Mapping[str, float] = {PICTURES: 30.0, ATTRIBUTES: 10.0}
_LARGEST_SAMPLE = 4000
"""Most items of the leave-one-out errors; time grows with the cube of their number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentMap:
    """vector = picture_DF features + bias_D + the sum of attribute_AD over the item's indicators.

    Attributes:
        picture_DF: None without pictures.
        bias_D: Zero without pictures.
        attribute_AD: None without attributes.
    """

    picture_DF: NDArray[np.float32] | None
    bias_D: NDArray[np.float32]
    attribute_AD: NDArray[np.float32] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentRidge:
    """Ridge regression of item vectors on standardised picture features and attribute indicators, without intercept.

    An item weighs the square root of its positives, from which its vector was solved. The penalty of a coefficient is
    the ridge of its kind: for pictures times the number of features, for attributes as it is.

    Attributes:
        features_NF: Picture features; None without pictures.
        indicators_NA: Attribute indicators; None without attributes.
        counts_N: Positives of each item.

    Example: constant features predict vectors of zero.
        >>> ridge = ContentRidge(features_NF=np.zeros((3, 2), np.float32), indicators_NA=None, counts_N=np.ones(3))
        >>> bool((ridge.fit(np.eye(3, dtype=np.float32), {"pictures": 1.0}).picture_DF == 0).all())
        True
    """

    features_NF: NDArray[np.float32] | None
    indicators_NA: sp.csr_matrix | None
    counts_N: NDArray[Any]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of columns that there are."""
        given = {PICTURES: self.features_NF, ATTRIBUTES: self.indicators_NA}
        return tuple(kind for kind, columns in given.items() if columns is not None)

    @property
    def weights_N(self) -> NDArray[np.float64]:
        """Weights of the items, with a mean of 1."""
        roots_N = np.sqrt(self.counts_N.astype(np.float64))
        weights_N: NDArray[np.float64] = roots_N / roots_N.mean()
        return weights_N

    def fit(self, vectors_ND: NDArray[np.float32], ridges: Mapping[str, float]) -> ContentMap:
        """Fit by the normal equations, or by their dual where there are more columns than items."""
        columns_NC = _side_by_side([self._columns(kind, ridges[kind]) for kind in self.kinds])
        coefficients_CD = _ridge(columns_NC, vectors_ND.astype(np.float64), self.weights_N)
        num_features = 0
        picture_DF = None
        bias_D = np.zeros(vectors_ND.shape[1])
        if self.features_NF is not None:
            num_features = self.features_NF.shape[1]
            mean_F, scale_F = _standardisation(self.features_NF, ridges[PICTURES])
            picture_DF = (coefficients_CD[:num_features] / scale_F[:, None]).T
            bias_D = -picture_DF @ mean_F
        attribute_AD = None
        if self.indicators_NA is not None:
            attribute_AD = coefficients_CD[num_features:] / np.sqrt(ridges[ATTRIBUTES])
        return ContentMap(
            picture_DF=None if picture_DF is None else picture_DF.astype(np.float32),
            bias_D=bias_D.astype(np.float32),
            attribute_AD=None if attribute_AD is None else attribute_AD.astype(np.float32),
        )

    def choose(self, vectors_ND: NDArray[np.float32], given: Mapping[str, float | None]) -> dict[str, float]:
        """Ridges of the least leave-one-out error, which is exact; one that is given stays.

        The search goes from the middle of the grid to the best neighbouring pair for as long as the error falls. The
        errors are those of some four thousand items at most, evenly spread over the catalogue.
        """
        free = [kind for kind in self.kinds if given.get(kind) is None]
        best = {kind: given.get(kind) or _START[kind] for kind in self.kinds}
        if not free:
            return best
        rows_S = np.unique(np.linspace(0, len(vectors_ND) - 1, _LARGEST_SAMPLE).astype(np.int64))
        weights_S, vectors_SD = self.weights_N[rows_S], vectors_ND[rows_S].astype(np.float64)
        kernels = {kind: _kernel(self._columns(kind, 1.0)[rows_S]) for kind in self.kinds}
        errors: dict[tuple[float, ...], float] = {}

        def error(ridges: dict[str, float]) -> float:
            key = tuple(ridges.values())
            if key not in errors:
                kernel_SS = sum(kernels[kind] / ridges[kind] for kind in self.kinds)
                assert isinstance(kernel_SS, np.ndarray)
                errors[key] = leave_one_out_error(kernel_SS, vectors_SD, weights_S)
            return errors[key]

        while True:
            found = min([best, *_neighbours(best, free)], key=error)
            if found is best:
                return best
            best = found

    def _columns(self, kind: str, ridge: float) -> Any:
        """Columns of a kind, scaled so that their penalty is 1."""
        if kind == ATTRIBUTES:
            return self.indicators_NA / np.sqrt(ridge)
        assert self.features_NF is not None
        mean_F, scale_F = _standardisation(self.features_NF, ridge)
        return (self.features_NF - mean_F) / scale_F


def leave_one_out_error(
    kernel_NN: NDArray[np.float64], vectors_ND: NDArray[np.float64], weights_N: NDArray[np.float64]
) -> float:
    """Weighted squared error of predicting each item from a fit to all others, in closed form.

    With H = (K + 1 / weights)^-1 the residual of item i under the fit without it is (H vectors)_i / H_ii (Allen's
    PRESS, in the dual).
    """
    regularised_NN = kernel_NN.copy()
    regularised_NN[np.diag_indices_from(regularised_NN)] += 1 / weights_N
    factor_NN, lower = cho_factor(regularised_NN, lower=True, overwrite_a=True)
    solved_ND = cho_solve((factor_NN, lower), vectors_ND)
    inverse_NN, info = lapack.dtrtri(factor_NN, lower=1)
    assert info == 0, "a Cholesky factor has no zero on its diagonal"
    diagonal_N = np.square(np.tril(inverse_NN)).sum(axis=0)
    residuals_ND = solved_ND / diagonal_N[:, None]
    return float((weights_N[:, None] * np.square(residuals_ND)).sum())


def attribute_indicators(embedding: AttributeEmbedding, items: NDArray[np.int64]) -> sp.csr_matrix:
    """Indicators [N, A] in which an attribute embedding is linear: categories, price levels, title words.

    Those of n categories are 1 / n each, those of n words 1 / sqrt(n).
    """
    parts = []
    for table, codes_I, power in _tables(embedding):
        codes_NM = codes_I.cpu().numpy()[items].reshape(len(items), -1)
        rows, places = np.nonzero(codes_NM)
        counts_N = np.maximum((codes_NM > 0).sum(axis=1), 1)
        indices = (rows, codes_NM[rows, places] - 1)
        shape = (len(items), table.num_embeddings - 1)
        parts.append(sp.csr_matrix((counts_N[rows] ** -power, indices), shape=shape))
    return sp.hstack(parts, format="csr")


def set_attribute_vectors(embedding: AttributeEmbedding, vectors_AD: NDArray[np.float32]) -> None:
    """Load vectors of the indicators into the tables of an embedding; code 0, which is none, keeps its zeros."""
    start = 0
    for table, _, _ in _tables(embedding):
        stop = start + table.num_embeddings - 1
        table.weight[1:] = torch.from_numpy(vectors_AD[start:stop])
        start = stop


def _tables(embedding: AttributeEmbedding) -> list[tuple[nn.Embedding, torch.Tensor, float]]:
    """The tables of an embedding, the codes that they are read with, and the power of their number that divides."""
    found: list[tuple[nn.Embedding, torch.Tensor, float]] = []
    if embedding.categories is not None:
        found.append((embedding.categories, embedding.category_codes, 1.0))
    if embedding.prices is not None:
        found.append((embedding.prices, embedding.price_codes, 0.0))
    if embedding.title_words is not None:
        found.append((embedding.title_words, embedding.title_codes, 0.5))
    return found


def _standardisation(
    features_NF: NDArray[np.float32], ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each feature, and the scale that gives it a penalty of 1."""
    mean_F = features_NF.mean(axis=0, dtype=np.float64)
    std_F = features_NF.std(axis=0, dtype=np.float64) + 1e-6
    return mean_F, std_F * np.sqrt(ridge * features_NF.shape[1])


def _side_by_side(parts: list[Any]) -> Any:
    """Columns of all kinds; sparse only where all are."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([part.toarray() if sp.issparse(part) else part for part in parts], axis=1)


def _kernel(columns_NC: Any) -> NDArray[np.float64]:
    product = columns_NC @ columns_NC.T
    kernel_NN: NDArray[np.float64] = product.toarray() if sp.issparse(product) else product
    return kernel_NN


def _ridge(
    columns_NC: Any, vectors_ND: NDArray[np.float64], weights_N: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coefficients [C, D] of a weighted ridge regression with a penalty of 1."""
    num_items, num_columns = columns_NC.shape
    if num_columns > num_items:
        system = _kernel(columns_NC)
        system[np.diag_indices(num_items)] += 1 / weights_N
        dual_ND = np.linalg.solve(system, vectors_ND)
        return np.asarray(columns_NC.T @ dual_ND)
    weighted_CN = (
        columns_NC.multiply(weights_N[:, None]).T
        if sp.issparse(columns_NC)
        else (columns_NC * weights_N[:, None]).T
    )
    gram = weighted_CN @ columns_NC
    system = gram.toarray() if sp.issparse(gram) else gram
    system[np.diag_indices(num_columns)] += 1
    solution_CD: NDArray[np.float64] = np.linalg.solve(system, weighted_CN @ vectors_ND)
    return solution_CD


def _neighbours(ridges: dict[str, float], free: list[str]) -> list[dict[str, float]]:
    """The settings with one ridge a step up or down its grid."""
    found = []
    for kind in free:
        place = _RIDGES.index(ridges[kind])
        for other in _RIDGES[max(place - 1, 0) : place + 2]:
            if other != ridges[kind]:
                found.append({**ridges, kind: other})
    return found
