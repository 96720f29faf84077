"""Random streams and the calendar that all parts of the demo shop share."""

import zlib
from datetime import UTC, datetime
from typing import Final

import numpy as np

from visrec.arrays import DAY_MS


def stream(seed: int, topic: str, place: int = 0) -> np.random.Generator:
    """The generator of one thing: equal arguments give equal numbers, different ones independent numbers.

    Example:
        >>> bool(stream(0, "picture", 7).random() == stream(0, "picture", 7).random())
        True
    """
    return np.random.default_rng([seed, zlib.crc32(topic.encode()), place])


LOG_END_MS: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""The log ends at a fixed date: with the clock of the machine no two runs would agree."""


def log_start_ms(days: int) -> int:
    """The first millisecond of a log of so many days."""
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
