"""Ground-truth tastes: preferences over designs, shared through archetypes, with drift over time.

A user leans towards each shape, colour, pattern and style by a number that is partly the archetype's and partly their
own; the own part turns slowly from `now` to `later`, which changes the content of a taste and keeps its strength:

    leaning_u(t) = sqrt(s) archetype_u + sqrt(1 - s) (cos(wt) now_u + sin(wt) later_u)

Within an attribute, the values near a user's best one are favourites and the others are not, with a soft threshold
between them. Each user cares much about two or three attributes and little about the others:

    worth_u(t) = care_u * tanh(sharpness * (leaning_u(t) - its best within the attribute + gap))
    affinity(u, i, t) = sigmoid(bias + sum of worth_u(t) over the four values of i's design + quality_i)

The worths add up in log-odds, so an item must please in all the attributes that a user cares about. The affinity is the
probability of a positive reaction, given that the user has examined the item.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS
from visrec.demo.catalogue import ATTRIBUTES, NUM_VALUES
from visrec.demo.determinism import stream

NUM_ARCHETYPES: Final = 32
ARCHETYPE_SHARE: Final = 0.35
"""Share of the variance of a leaning that comes from the archetype."""
DRIFT_DEGREES_PER_DAY: Final = 0.2
"""Mean drift over users, exponentially distributed: most drift less, some much more."""
FAVOURITE_GAP: Final = 0.85
"""Threshold of favourites: largest distance of a value's leaning from the user's best one."""
SHARPNESS: Final = 4.0
"""Steepness of the threshold between favourites and other values."""
CARE_WEIGHTS: Final = {"shape": 0.35, "colour": 0.30, "pattern": 0.20, "style": 0.15}
"""Weights by which the attributes that a user cares about are drawn."""
CARE: Final = 9.0
"""Log-odds of a favourite against indifference, summed over the attributes that a user cares about."""
CARES_FOR_THREE: Final = 0.25
"""Share of users that care about three attributes; the others care about two."""
MINOR: Final = 0.4
"""Log-odds of a favourite against indifference in an attribute that a user does not care about."""
BIAS: Final = -6.5
"""Log-odds of a positive on an item of worth 0: only favourites in all important attributes outweigh it."""

SIZES: Final = [len(values) for values in ATTRIBUTES.values()]
STARTS: Final = np.cumsum(SIZES)[:-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tastes:
    """Tastes of users [U].

    Attributes:
        archetype: Row of each user in `archetypes`, int32 [U].
        archetypes: Leanings of each archetype, float32 [G, NUM_VALUES].
        now: Personal part of the leanings at `origin_ms`, float32 [U, NUM_VALUES].
        later: Personal part after a drift of 90 degrees, float32 [U, NUM_VALUES].
        care: Log-odds of a favourite in each attribute, float32 [U, 4].
        drift: Drift in degrees a day, float32 [U].
        origin_ms: Start of the drift, in milliseconds since 1970.
    """

    archetype: NDArray[np.int32]
    archetypes: NDArray[np.float32]
    now: NDArray[np.float32]
    later: NDArray[np.float32]
    care: NDArray[np.float32]
    drift: NDArray[np.float32]
    origin_ms: int

    def worths(self, users: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.float32]:
        """Worth of every attribute value in log-odds, for N pairs of a user and a time: float32 [N, NUM_VALUES]."""
        days = (np.asarray(times, np.int64) - self.origin_ms) / DAY_MS
        angle = np.deg2rad(days * self.drift[users])[:, None]
        personal = np.cos(angle) * self.now[users] + np.sin(angle) * self.later[users]
        shared = self.archetypes[self.archetype[users]]
        leaning = np.sqrt(ARCHETYPE_SHARE) * shared + np.sqrt(1 - ARCHETYPE_SHARE) * personal
        parts = np.split(leaning, STARTS, axis=1)
        below_best = np.concatenate([part - part.max(axis=1, keepdims=True) for part in parts], axis=1)
        favour = np.tanh(SHARPNESS * (below_best + FAVOURITE_GAP))
        return (favour * np.repeat(self.care[users], SIZES, axis=1)).astype(np.float32)


def make_tastes(num_users: int, seed: int, origin_ms: int, *, strength: float = 1.0) -> Tastes:
    """Draw the tastes of all users; `strength` multiplies what they care."""
    random = stream(seed, "tastes")
    return Tastes(
        archetype=random.integers(0, NUM_ARCHETYPES, num_users).astype(np.int32),
        archetypes=_leanings(random, NUM_ARCHETYPES),
        now=_leanings(random, num_users),
        later=_leanings(random, num_users),
        care=np.float32(strength) * _care(random, num_users),
        drift=random.exponential(DRIFT_DEGREES_PER_DAY, num_users).astype(np.float32),
        origin_ms=origin_ms,
    )


def affinity(log_odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of a positive, from the sum of worths and quality in log-odds."""
    probability: NDArray[np.float32] = 1 / (1 + np.exp(-(log_odds + np.float32(BIAS))))
    return probability


def _leanings(random: np.random.Generator, num: int) -> NDArray[np.float32]:
    return random.standard_normal((num, NUM_VALUES), np.float32)


def _care(random: np.random.Generator, num: int) -> NDArray[np.float32]:
    # Two or three of the four by weighted sampling without replacement (Gumbel top-k).
    keys = np.log(list(CARE_WEIGHTS.values())) + random.gumbel(size=(num, len(CARE_WEIGHTS)))
    ranks = np.argsort(np.argsort(-keys, axis=1), axis=1)
    num_major = np.where(random.random((num, 1)) < CARES_FOR_THREE, 3, 2)
    return np.where(ranks < num_major, CARE / num_major, MINOR).astype(np.float32)
