"""Decay of events within a history, by events and by time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import HOUR_MS

_SMALLEST_WEIGHT = 1e-3
"""An event whose weight is less than this share of the nearest event's is left out of a history or target."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryDecay:
    """Decay of an event's weight within a history, by events and by time.

    Attributes:
        half_life: In events; None for no decay by events.
        half_life_hours: In hours before the last event of the history; None for no decay by time.
    """

    half_life: float | None
    half_life_hours: float | None = None

    @property
    def per_event(self) -> float:
        """Weight of an event relative to the one after it, at the same time."""
        return 0.5 ** (1 / self.half_life) if self.half_life else 1.0

    def weights(self, ages: NDArray[np.int64] | int, elapsed_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weights of events that have some number of events, and some time, between them and the last one."""
        weights = self.per_event**ages * np.ones(len(elapsed_ms))
        if self.half_life_hours is not None:
            weights *= 0.5 ** (np.maximum(elapsed_ms, 0) / (HOUR_MS * self.half_life_hours))
        return weights


def num_events(decay: float, most: int) -> int:
    """Number of events that weigh enough under a decay."""
    if decay == 1:
        return most
    return min(most, 1 + math.floor(math.log(_SMALLEST_WEIGHT) / math.log(decay))) if decay else 1
