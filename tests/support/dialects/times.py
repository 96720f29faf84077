"""Ways to write a time, each with the settings that read it and the precision that it keeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

_DAY = 86_400
_EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC).timestamp()


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeStyle:
    """One way to write times.

    Attributes:
        name: For messages.
        write: From seconds since 1970 to text, or to a number.
        settings: Of the log, that read it.
        seconds: Precision: a time is written as the multiple of it below.
    """

    name: str
    write: Callable[[int], str | int | float]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: int = 1

    def kept(self, time: int) -> int:
        """Milliseconds that are left of a time in seconds."""
        return time // self.seconds * self.seconds * 1000


def _date(pattern: str, zone: timezone = UTC) -> Callable[[int], str]:
    return lambda time: datetime.fromtimestamp(time, zone).strftime(pattern)


_PLUS_TWO = timezone(timedelta(hours=2))
_INDIA = timezone(timedelta(hours=5, minutes=30))

TIME_STYLES = (
    TimeStyle(name="seconds", write=lambda time: time),
    TimeStyle(name="milliseconds", write=lambda time: time * 1000),
    TimeStyle(name="microseconds", write=lambda time: time * 10**6, settings={"time_unit": "us"}),
    TimeStyle(name="nanoseconds", write=lambda time: time * 10**9),
    TimeStyle(name="seconds with a fraction", write=lambda time: f"{time}.000"),
    TimeStyle(name="ISO 8601, Z", write=_date("%Y-%m-%dT%H:%M:%SZ")),
    TimeStyle(name="ISO 8601, no zone", write=_date("%Y-%m-%d %H:%M:%S")),
    TimeStyle(name="ISO 8601, fraction", write=_date("%Y-%m-%d %H:%M:%S.000")),
    TimeStyle(name="warehouse", write=_date("%Y-%m-%d %H:%M:%S UTC")),
    TimeStyle(name="warehouse, offset", write=_date("%Y-%m-%d %H:%M:%S +0000 UTC")),
    TimeStyle(name="offset", write=_date("%Y-%m-%dT%H:%M:%S+02:00", _PLUS_TWO)),
    TimeStyle(name="offset after a blank", write=_date("%Y-%m-%d %H:%M:%S +0530", _INDIA)),
    TimeStyle(name="minutes", write=_date("%Y-%m-%dT%H:%MZ"), seconds=60),
    TimeStyle(name="days", write=_date("%Y-%m-%d"), seconds=_DAY),
    TimeStyle(name="compact", write=_date("%Y%m%d%H%M%S"), settings={"time_unit": "iso8601"}),
    TimeStyle(name="compact days", write=_date("%Y%m%d"), settings={"time_unit": "iso8601"}, seconds=_DAY),
    TimeStyle(
        name="day first", write=_date("%d/%m/%Y %H:%M:%S"), settings={"time_format": "%d/%m/%Y %H:%M:%S"}
    ),
    TimeStyle(
        name="month first",
        write=_date("%m/%d/%Y %I:%M %p"),
        settings={"time_format": "%m/%d/%Y %I:%M %p"},
        seconds=60,
    ),
    TimeStyle(
        name="Excel",
        write=lambda time: (time // _DAY * _DAY - _EXCEL_EPOCH) / _DAY,
        settings={"time_unit": "excel"},
        seconds=_DAY,
    ),
    TimeStyle(
        name="since a start",
        write=lambda time: time - 1_300_000_000,
        settings={"time_unit": "s", "time_origin": "2011-03-13T07:06:40Z"},
    ),
)
"""All that ingest reads, by itself or with settings."""
