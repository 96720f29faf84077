"""The shop's time: when the log begins and ends, and times as text."""

from datetime import UTC, datetime
from typing import Final

DAY_MS: Final = 86_400_000
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
