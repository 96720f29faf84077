"""Closed-form solvers: item factors from co-occurrence, and a ridge map from features to vectors.

Shape legend: U users, I items, R factors, N items with a positive, F features, D vector size.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from visrec.data.snapshot import Sequences

Blocks = Callable[[], Iterator[Sequences]]
"""Starts a new pass over the training events."""


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
