"""The map from a picture's features to its item vector, by weighted ridge regression.

Shape legend: N items, F features, D vector size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
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
    """Regress vectors on standardised features; an item counts as the root of its positives, from which its vector was
    learned. The penalty of each coefficient is `ridge` times the number of features.

    Example: features that tell nothing give vectors of zero.
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
    return LinearMap(weight_DF.astype(np.float32), (-weight_DF @ mean_F).astype(np.float32))
