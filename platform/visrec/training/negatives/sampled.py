"""Negatives drawn for a whole batch: uniformly, and by popularity. Shape legend: C candidates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.config import LossConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnNegatives:
    """Draws with replacement.

    Attributes:
        candidates_C: Item indices that may be drawn.
        shares_C: Probability of each in a draw by popularity.
        num_uniform: Uniform draws a batch.
        num_popularity: Draws by popularity a batch.

    Example:
        >>> items, counts = np.array([3, 4], np.int32), np.array([0, 0, 0, 1, 16])
        >>> drawn = DrawnNegatives.of(LossConfig(num_popularity_negatives=2, popularity_power=0.5), items, counts)
        >>> drawn.shares_C.tolist(), drawn.missing_C().round(2).tolist()
        ([0.2, 0.8], [0.64, 0.04])
    """

    candidates_C: NDArray[np.int32]
    shares_C: NDArray[np.float64]
    num_uniform: int
    num_popularity: int

    @classmethod
    def of(
        cls, loss: LossConfig, candidates_C: NDArray[np.int32], counts_I: NDArray[Any]
    ) -> "DrawnNegatives":
        """The draws that a loss asks for, by the training positives of each item."""
        weights_C = np.asarray(counts_I[candidates_C], np.float64) ** loss.popularity_power
        return cls(
            candidates_C=candidates_C,
            shares_C=weights_C / max(weights_C.sum(), 1e-12),
            num_uniform=loss.num_uniform_negatives,
            num_popularity=loss.num_popularity_negatives,
        )

    def draw(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """Items of one batch; some may be drawn twice."""
        uniform = generator.choice(self.candidates_C, self.num_uniform)
        if not self.num_popularity:
            return uniform.astype(np.int64)
        places = np.searchsorted(self._bounds_C, generator.random(self.num_popularity), side="right")
        popular = self.candidates_C[places.clip(max=len(self.candidates_C) - 1)]
        return np.concatenate([uniform, popular]).astype(np.int64)

    def missing_C(self) -> NDArray[np.float64]:
        """Probability that a batch's draws miss the candidate."""
        uniform = (1 - 1 / len(self.candidates_C)) ** self.num_uniform
        missing: NDArray[np.float64] = uniform * (1 - self.shares_C) ** self.num_popularity
        return missing

    @property
    def _bounds_C(self) -> NDArray[np.float64]:
        bounds: NDArray[np.float64] = np.cumsum(self.shares_C)
        return bounds
