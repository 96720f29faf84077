"""Negatives sampled for a whole batch, uniformly and by popularity.

Shape legend: C candidates, I items of the catalogue.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.config import LossConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledNegatives:
    """Sampler with replacement of the negatives that all sequences of a batch share.

    Attributes:
        candidates_C: Item indices that may be drawn.
        popularity_C: Probability of each in one draw by popularity.
        num_uniform: Uniform draws a batch.
        num_popularity: Draws by popularity a batch.

    Example:
        >>> items, counts = np.array([3, 4], np.int32), np.array([0, 0, 0, 1, 16])
        >>> sampler = SampledNegatives.of(LossConfig(num_popularity_negatives=2, popularity_power=0.5), items, counts)
        >>> sampler.popularity_C.tolist(), sampler.miss_probability_C().round(2).tolist()
        ([0.2, 0.8], [0.64, 0.04])
    """

    candidates_C: NDArray[np.int32]
    popularity_C: NDArray[np.float64]
    num_uniform: int
    num_popularity: int

    @classmethod
    def of(
        cls, loss: LossConfig, candidates_C: NDArray[np.int32], counts_I: NDArray[Any]
    ) -> "SampledNegatives":
        """The sampler of a loss: popularity is the count of training positives to the power of `popularity_power`."""
        weights_C = np.asarray(counts_I[candidates_C], np.float64) ** loss.popularity_power
        return cls(
            candidates_C=candidates_C,
            popularity_C=weights_C / max(weights_C.sum(), 1e-12),
            num_uniform=loss.num_uniform_negatives,
            num_popularity=loss.num_popularity_negatives,
        )

    def sample(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """Items of one batch; some may come twice."""
        uniform = generator.choice(self.candidates_C, self.num_uniform)
        if not self.num_popularity:
            return uniform.astype(np.int64)
        bounds_C: NDArray[np.float64] = np.cumsum(self.popularity_C)
        positions = np.searchsorted(bounds_C, generator.random(self.num_popularity), side="right")
        popular = self.candidates_C[positions.clip(max=len(self.candidates_C) - 1)]
        return np.concatenate([uniform, popular]).astype(np.int64)

    def miss_probability_C(self) -> NDArray[np.float64]:
        """Probability of each candidate to be in none of a batch's draws."""
        uniform = (1 - 1 / len(self.candidates_C)) ** self.num_uniform
        missing_C: NDArray[np.float64] = uniform * (1 - self.popularity_C) ** self.num_popularity
        return missing_C
