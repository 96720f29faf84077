"""Resolution of times: the finest step that they tell, such as whole days."""

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.data.facts import TimeResolution

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
_ZONE_MS = 900_000
"""Offsets of time zones are multiples of this: midnight of a zone is a multiple of it."""

_UNITS: tuple[tuple[TimeResolution, int, int], ...] = (
    ("day", DAY_MS, _ZONE_MS),
    ("hour", HOUR_MS, _ZONE_MS),
    ("minute", MINUTE_MS, MINUTE_MS),
    ("second", 1000, 1000),
)
"""Name, length in milliseconds, and what the first time must be a multiple of."""

_PROBE = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeStep:
    """Greatest step that times lie apart by, all of them from an anchor on.

    Attributes:
        anchor: One of the times, in milliseconds.
        step: The times are `anchor` plus multiples of it, in milliseconds; 0 for one moment only.
    """

    anchor: int
    step: int

    @classmethod
    def of(cls, times: NDArray[np.int64]) -> "TimeStep | None":
        """Step of some times in milliseconds; None without any.

        Example:
            >>> TimeStep.of(np.array([5000, 65_000, 185_000]))
            TimeStep(anchor=5000, step=60000)
        """
        if not len(times):
            return None
        anchor = int(times[0])
        # Exact times show within a few: the others need no look at all rows.
        probe = _common(times[:_PROBE] - anchor)
        step = probe if probe == 1 else gcd(probe, _common(times[_PROBE:] - anchor))
        return cls(anchor=anchor, step=step)

    def joined(self, other: "TimeStep | None") -> "TimeStep":
        """Step of the times of both."""
        if other is None:
            return self
        return TimeStep(anchor=self.anchor, step=gcd(self.step, other.step, self.anchor - other.anchor))

    @property
    def resolution(self) -> TimeResolution:
        """The largest unit of the calendar that the times are whole numbers of, in some time zone.

        Example:
            >>> TimeStep(anchor=1_700_006_400_000, step=3 * 86_400_000).resolution
            'day'
        """
        if not self.step:
            return "moment"
        for name, unit, start in _UNITS:
            if self.step % unit == 0 and self.anchor % start == 0:
                return name
        return "millisecond"


def _common(differences: NDArray[Any]) -> int:
    return int(np.gcd.reduce(differences)) if len(differences) else 0
