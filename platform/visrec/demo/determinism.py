"""Sources of determinism in the demo shop: named random streams, and a calendar with a fixed end."""

import zlib
from datetime import UTC, datetime
from typing import Final

import numpy as np

from visrec.arrays import DAY_MS


def stream(seed: int, topic: str, place: int = 0) -> np.random.Generator:
    """A random generator for one purpose: equal arguments give equal numbers, different arguments independent ones.

    Example:
        >>> bool(stream(0, "picture", 7).random() == stream(0, "picture", 7).random())
        True
    """
    return np.random.default_rng([seed, zlib.crc32(topic.encode()), place])


LOG_END_MS: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""End of the log. It is fixed: with the current time, no two runs would give the same bytes."""


def log_start_ms(days: int) -> int:
    """Start of a log of this number of days, in milliseconds since 1970."""
    return LOG_END_MS - days * DAY_MS


def iso(time_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601, UTC.

    Example:
        >>> iso(0)
        '1970-01-01T00:00:00.000Z'
    """
    return (
        datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
