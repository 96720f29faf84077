"""What users like: a worth for each shape, colour, pattern and style, shared in part with others, drifting in time.

    worth_u(t) = strength * (sqrt(s) archetype_u + sqrt(1 - s) (cos(wt) now_u + sin(wt) later_u))
    affinity(u, i, t) = sigmoid(bias + <worth_u(t), one-hot of i's design> + quality_i)

The archetypes are what makes users alike; the turn from `now` to `later` is the drift, which keeps the strength of a
taste while its content changes. The affinity is the probability of a positive once the item is looked at.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.demo.calendar import DAY_MS
from visrec.demo.designs import ATTRIBUTES, NUM_VALUES
from visrec.demo.randomness import stream

STRENGTHS: Final = {"shape": 2.4, "colour": 1.9, "pattern": 1.3, "style": 1.1}
"""Standard deviation of a user's worths within each attribute, in log-odds."""
NUM_ARCHETYPES: Final = 24
ARCHETYPE_SHARE: Final = 0.45
"""Share of the variance of a taste that comes from the archetype."""
DRIFT_DEGREES_PER_DAY: Final = 0.5
BIAS: Final = -6.0
"""Log-odds of a positive on an item of average worth."""


@dataclass(frozen=True)
class Tastes:
    """Tastes of some users.

    Attributes:
        archetype: Row in `archetypes`, int32 [U].
        archetypes: float32 [G, NUM_VALUES].
        now: The personal part at `origin_ms`, float32 [U, NUM_VALUES].
        later: What it turns to, float32 [U, NUM_VALUES].
        origin_ms: Time at which the drift begins.
    """

    archetype: NDArray[np.int32]
    archetypes: NDArray[np.float32]
    now: NDArray[np.float32]
    later: NDArray[np.float32]
    origin_ms: int

    def worths(self, users: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.float32]:
        """Worth of every value to each user at a time of its own: float32 [N, NUM_VALUES]."""
        angle = np.deg2rad((times - self.origin_ms) / DAY_MS * DRIFT_DEGREES_PER_DAY)[:, None]
        personal = np.cos(angle) * self.now[users] + np.sin(angle) * self.later[users]
        shared = self.archetypes[self.archetype[users]]
        mixed = np.sqrt(ARCHETYPE_SHARE) * shared + np.sqrt(1 - ARCHETYPE_SHARE) * personal
        return (mixed * strength_of_values()).astype(np.float32)


def make_tastes(num_users: int, seed: int, origin_ms: int) -> Tastes:
    """Draw the tastes of all users."""
    random = stream(seed, "tastes")
    return Tastes(
        archetype=random.integers(0, NUM_ARCHETYPES, num_users).astype(np.int32),
        archetypes=_standard(random, NUM_ARCHETYPES),
        now=_standard(random, num_users),
        later=_standard(random, num_users),
        origin_ms=origin_ms,
    )


def affinity(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of a positive from worth plus quality."""
    return (1.0 / (1.0 + np.exp(-(logits + np.float32(BIAS))))).astype(np.float32)


def strength_of_values() -> NDArray[np.float32]:
    """The strength of each value's attribute: float32 [NUM_VALUES]."""
    return np.repeat([STRENGTHS[name] for name in ATTRIBUTES], [len(v) for v in ATTRIBUTES.values()]).astype(
        np.float32
    )


def _standard(random: np.random.Generator, num: int) -> NDArray[np.float32]:
    """Normal numbers with mean 0 and deviation 1 within each attribute of each row: every user has a clear taste."""
    rows = random.normal(size=(num, NUM_VALUES)).astype(np.float32)
    ends = np.cumsum([len(values) for values in ATTRIBUTES.values()])
    for part in np.split(rows, ends[:-1], axis=1):  # views: they change `rows`
        part -= part.mean(axis=1, keepdims=True)
        part /= part.std(axis=1, keepdims=True)
    return rows
