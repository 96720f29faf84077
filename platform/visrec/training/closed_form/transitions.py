"""What is chosen next, regressed on what was chosen lately (SLIT: Choi et al. 2021).

Shape legend: E events, I items, R factors, P positions of a block.
"""

import math

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.utils.extmath import randomized_svd

from visrec.data.snapshot import Sequences
from visrec.training.closed_form.factors import Blocks, Factors

_SMALLEST_WEIGHT = 1e-3
"""An event that counts less than this share of the last one is left out."""


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
    """Factors of B = (S'S + ridge I)^-1 S'T, of the rank that loses least of the fit (reduced-rank regression: Izenman
    1975).

    A row of S is a history at one position: its events, each `decay` times as much as the one after it, at length 1;
    the same row of T is the item that comes next. Afterwards q is divided by positives ** `popularity_power`.
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
    return Factors(history_IR.astype(np.float32), target_IR.astype(np.float32))


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
