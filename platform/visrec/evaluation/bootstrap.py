"""Percentile bootstrap over users (Efron and Tibshirani 1993): how far a mean would move with other users.

All columns share the same resamples. An interval of differences is paired because the differences are taken user by
user first.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RESAMPLES_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean and its bootstrap interval.

    As text all three numbers take the same format:
        >>> lead = Interval(mean=0.0213, low=0.0102, high=0.0324)
        >>> f"{lead:+.4f}", f"{lead:+.1%}", str(lead)
        ('+0.0213 [+0.0102, +0.0324]', '+2.1% [+1.0%, +3.2%]', '0.0213 [0.0102, 0.0324]')
    """

    mean: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        spec = spec or ".4f"
        return f"{self.mean:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        return format(self)


Intervals = dict[str, Interval]
"""Metric -> interval."""


def intervals(
    columns: Mapping[str, NDArray[np.float64]], *, num_samples: int, seed: int, confidence: float = 0.95
) -> Intervals:
    """Mean and interval of each column of per-user values, all over the same U users.

    Example:
        >>> intervals({"hr@10": np.ones(5)}, num_samples=100, seed=0)["hr@10"]
        Interval(mean=1.0, low=1.0, high=1.0)
    """
    if not columns:
        return {}
    values_UM = np.stack(list(columns.values()), axis=1).astype(np.float64)
    if not len(values_UM):
        raise ValueError("expected the values of one or more users, got none")
    means_SM = resampled_means(values_UM, num_samples, seed)
    tail = (1 - confidence) / 2
    low_M, high_M = np.quantile(means_SM, [tail, 1 - tail], axis=0)
    mean_M = values_UM.mean(0)
    return {
        name: Interval(mean=float(mean), low=float(low), high=float(high))
        for name, mean, low, high in zip(columns, mean_M, low_M, high_M, strict=True)
    }


def paired_intervals(
    ours: Mapping[str, NDArray[np.float64]],
    theirs: Mapping[str, NDArray[np.float64]],
    *,
    num_samples: int,
    seed: int,
    confidence: float = 0.95,
) -> Intervals:
    """Interval of the mean difference, ours minus theirs, of every metric that both have, user by user."""
    differences = {name: ours[name] - theirs[name] for name in ours if name in theirs}
    return intervals(differences, num_samples=num_samples, seed=seed, confidence=confidence)


def exceeds_standard_error(ours_U: NDArray[np.float64], theirs_U: NDArray[np.float64]) -> bool:
    """Whether the mean of our users' values is higher by more than the standard error of the paired difference.

    A rule for choices by few users, which keeps them from following noise (after the one-standard-error rule: Breiman
    et al. 1984).

    Example:
        >>> [exceeds_standard_error(np.array(ours), np.zeros(3)) for ours in ([1.0, 0.0, 0.0], [1.0, 1.0, 0.5])]
        [True, True]
        >>> exceeds_standard_error(np.array([1.0, -0.5, 0.0]), np.zeros(3))
        False
    """
    difference_U = ours_U - theirs_U
    return float(difference_U.mean()) > float(difference_U.std()) / math.sqrt(len(difference_U))


def resampled_means(values_UM: NDArray[np.float64], num_samples: int, seed: int) -> NDArray[np.float64]:
    """Means [S, M] of S resamples of the users with replacement.

    Drawn with `RandomState`, whose stream NumPy has frozen: the published protocol does so too, and equal values give
    equal intervals.
    """
    num_users = len(values_UM)
    rng = np.random.RandomState(seed)
    blocks = []
    for start in range(0, num_samples, _RESAMPLES_AT_ONCE):
        size = min(_RESAMPLES_AT_ONCE, num_samples - start)
        counts_SU = np.stack(
            [np.bincount(rng.randint(0, num_users, num_users), minlength=num_users) for _ in range(size)]
        )
        blocks.append(counts_SU.astype(np.float64) @ values_UM / num_users)
    return np.concatenate(blocks)
