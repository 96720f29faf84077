"""Features on a common scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LIMIT = 4.0
"""Values further from the mean, in standard deviations, count as so far."""


@dataclass(frozen=True)
class Scaling:
    """Mean and spread of each feature over the retrieved candidates of training.

    Attributes:
        mean_F: float32.
        std_F: float32.

    Example:
        >>> Scaling(np.float32([1]), np.float32([2])).apply(np.float32([[5], [np.nan]])).tolist()
        [[2.0], [0.0]]
    """

    mean_F: NDArray[np.float32]
    std_F: NDArray[np.float32]

    @classmethod
    def fit(cls, rows_NF: NDArray[np.float32]) -> "Scaling":
        """Mean and standard deviation of each column, NaN left out; a column without spread becomes 0 throughout."""
        known_NF = ~np.isnan(rows_NF)
        num_F = np.maximum(known_NF.sum(0), 1)
        mean_F = np.where(known_NF, rows_NF, 0).sum(0, dtype=np.float64) / num_F
        square_F = (np.where(known_NF, rows_NF - mean_F, 0) ** 2).sum(0, dtype=np.float64) / num_F
        std_F = np.sqrt(square_F)
        return cls(mean_F.astype(np.float32), np.where(std_F > 1e-6, std_F, np.inf).astype(np.float32))

    def apply(self, rows_NF: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled features; NaN becomes 0, the average."""
        scaled = np.clip((rows_NF - self.mean_F) / self.std_F, -_LIMIT, _LIMIT)
        return np.asarray(np.nan_to_num(scaled), np.float32)
