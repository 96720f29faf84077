"""Closed-form solvers: item factors from co-occurrence or from transitions, and a ridge map from features to vectors.

Shape legend: E events, U users, I items, R factors, P positions of a block, N items with a positive, F features, D
vector size.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.utils.extmath import randomized_svd

from visrec.data.snapshot import Sequences

Blocks = Callable[[], Iterator[Sequences]]
"""Starts a new pass over the training events."""
_SMALLEST_WEIGHT = 1e-3
"""An event whose weight is less than this share of the latest event's is left out of a history."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Factors:
    """Factors p and q of score(history, i) = sum over j of the history of w_j p_j . q_i.

    Attributes:
        history_IR: p, zero for items without a positive; float32.
        target_IR: q, likewise.
    """

    history_IR: NDArray[np.float32]
    target_IR: NDArray[np.float32]


def cooccurrence_factors(
    blocks: Blocks, num_items: int, *, rank: int, popularity_power: float, seed: int
) -> Factors:
    """Truncated SVD of the normalised user-item matrix N.

    An entry of N is 1 / (sqrt(events of the user) * positives of the item ** `popularity_power`). With V the right
    singular vectors of N, q = V and p = V / positives ** `popularity_power`, so that the sum of p over a history is the
    user's row of N V but for the factor of the user (PureSVD: Cremonesi et al. 2010, on a normalised matrix).
    """
    gram_II = np.zeros((num_items, num_items))
    counts_I = np.zeros(num_items)
    for block in blocks():
        lengths_U = np.diff(block.offsets)
        weights = 1 / np.sqrt(np.maximum(lengths_U, 1))[block.row_of_event]
        rows = sp.csr_matrix((weights, (block.row_of_event, block.items)), shape=(len(block), num_items))
        gram_II += (rows.T @ rows).toarray()
        counts_I += np.bincount(block.items, minlength=num_items)
    damping_I = np.maximum(counts_I, 1) ** -popularity_power
    gram_II *= damping_I[:, None] * damping_I
    _, _, right_RI = randomized_svd(gram_II, min(rank, num_items), random_state=seed)
    vectors_IR = np.where(counts_I[:, None] > 0, right_RI.T, 0)
    return Factors(
        history_IR=(vectors_IR * damping_I[:, None]).astype(np.float32),
        target_IR=vectors_IR.astype(np.float32),
    )


def transition_factors(
    blocks: Blocks,
    num_items: int,
    *,
    rank: int,
    ridge: float,
    popularity_power: float,
    decay: float,
    max_length: int,
    seed: int,
) -> Factors:
    """Reduced-rank ridge regression (Izenman 1975) of the next item on the history (SLIT: Choi et al. 2021).

    Factors of B = (S'S + ridge I)^-1 S'T, truncated to the rank that loses least of the fit. A row of S is the history
    at one position: its events, each weighing `decay` times as much as the one after it, scaled to length 1; the same
    row of T is the next item. Afterwards q is divided by positives ** `popularity_power`.
    """
    num_lags = max_length
    if decay < 1:
        num_lags = min(max_length, 1 + math.floor(math.log(_SMALLEST_WEIGHT) / math.log(decay)))
    gram_II = ridge * np.eye(num_items)
    moment_II = np.zeros((num_items, num_items))
    counts_I = np.zeros(num_items)
    for block in blocks():
        history, target = history_rows(block, num_items, decay=decay, num_lags=num_lags)
        gram_II += (history.T @ history).toarray()
        moment_II += (history.T @ target).toarray()
        counts_I += np.bincount(block.items, minlength=num_items)
    # With S'S + ridge I = C C', the fit loses the squares of the singular values of C'B = C^-1 S'T that are left out.
    lower_II = cholesky(gram_II, lower=True, overwrite_a=True)
    whitened_II = solve_triangular(lower_II, moment_II, lower=True, overwrite_b=True)
    left_IR, values_R, right_RI = randomized_svd(whitened_II, min(rank, num_items), random_state=seed)
    roots_R = np.sqrt(values_R)
    history_IR = solve_triangular(lower_II, left_IR * roots_R, lower=True, trans="T")
    damping_I = np.maximum(counts_I, 1) ** -popularity_power
    target_IR = right_RI.T * roots_R * damping_I[:, None]
    return Factors(history_IR=history_IR.astype(np.float32), target_IR=target_IR.astype(np.float32))


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearMap:
    """vector = weight_DF features + bias_D."""

    weight_DF: NDArray[np.float32]
    bias_D: NDArray[np.float32]


def ridge_map(
    features_NF: NDArray[np.float32],
    vectors_ND: NDArray[np.float32],
    counts_N: NDArray[np.float32],
    ridge: float,
) -> LinearMap:
    """Ridge regression of vectors on standardised features.

    An item weighs the square root of its positives, from which its vector was solved. The penalty of each coefficient
    is `ridge` times the number of features.

    Example: constant features predict vectors of zero.
        >>> found = ridge_map(np.zeros((3, 2), np.float32), np.eye(3, dtype=np.float32), np.ones(3, np.float32), 1.0)
        >>> bool((found.weight_DF == 0).all())
        True
    """
    mean_F = features_NF.mean(axis=0, dtype=np.float64)
    std_F = features_NF.std(axis=0, dtype=np.float64) + 1e-6
    standard_NF = (features_NF - mean_F) / std_F
    weights_N = np.sqrt(counts_N.astype(np.float64))
    weighted_NF = standard_NF * (weights_N / weights_N.mean())[:, None]
    gram_FF = weighted_NF.T @ standard_NF
    gram_FF[np.diag_indices_from(gram_FF)] += ridge * features_NF.shape[1]
    coefficients_FD = np.linalg.solve(gram_FF, weighted_NF.T @ vectors_ND)
    weight_DF = (coefficients_FD / std_F[:, None]).T
    return LinearMap(weight_DF=weight_DF.astype(np.float32), bias_D=(-weight_DF @ mean_F).astype(np.float32))


def history_rows(
    block: Sequences, num_items: int, *, decay: float, num_lags: int
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Sparse S and T of a block, [P, I] each: one row for every event but a user's first."""
    place_E = np.arange(len(block.items)) - np.repeat(block.offsets[:-1], np.diff(block.offsets))
    row_E = np.cumsum(place_E > 0) - 1
    num_rows = int((place_E > 0).sum())
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int32]] = []
    weights: list[NDArray[np.float64]] = []
    for lag in range(1, num_lags + 1):
        events = np.flatnonzero(place_E >= lag)
        if not len(events):
            break
        rows.append(row_E[events])
        columns.append(block.items[events - lag])
        weights.append(np.full(len(events), decay ** (lag - 1)))
    shape = (num_rows, num_items)
    if not rows:
        return sp.csr_matrix(shape), sp.csr_matrix(shape)
    indices = (np.concatenate(rows), np.concatenate(columns))
    history = sp.csr_matrix((np.concatenate(weights), indices), shape=shape)
    lengths = np.sqrt(np.asarray(history.multiply(history).sum(axis=1)).ravel())
    history = sp.diags(1 / lengths) @ history
    later = np.flatnonzero(place_E > 0)
    target = sp.csr_matrix((np.ones(num_rows), (row_E[later], block.items[later])), shape=shape)
    return history.tocsr(), target
