"""Times of a column: the unit or the format that reads them, by the values alone."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.config.ingest import TimeUnit
from visrec.errors import DataError
from visrec.ingestion.times import parse_times
from visrec.ingestion.values import text
from visrec.inspection.samples import Column
from visrec.inspection.time_formats import formats_of

_FIRST_YEAR = datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1000
_MOSTLY = 0.9
_WITH_YEAR = r"\d{2}.*\d|\d.*\d{2}"
_UNITS: tuple[TimeUnit, ...] = ("s", "ms", "us", "ns", "iso8601", "excel")


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeReading:
    """One way to read a column of times.

    Attributes:
        column: Name of the column.
        unit: Value of `time_unit`.
        first: Earliest time, milliseconds since 1970.
        last: Latest time.
        share: Share of the values that are read as a plausible time.
        is_number: Whether the values are numbers.
        patterns: Values of `time_format` that read the values, where no unit does; several where the data does not tell
            the day from the month.
    """

    column: str
    unit: TimeUnit
    first: int
    last: int
    share: float
    is_number: bool
    patterns: tuple[str, ...] = ()

    @property
    def period(self) -> str:
        """First and last day."""
        return f"{_day(self.first)} to {_day(self.last)}"


def read_times(column: Column) -> TimeReading | None:
    """The reading of a column as times between 1990 and now, or None where most values are none.

    Example:
        >>> reading = read_times(Column(name="t", values=pa.array([1700000000000, 1700000360000])))
        >>> reading.unit, reading.period
        ('ms', '2023-11-14 to 2023-11-14')
    """
    values = column.values
    if not column.num_present:
        return None
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return _reading(column, values, "auto", is_number=False)
    if column.texts is None or pa.types.is_boolean(values.type):
        return None
    if not column.is_number:
        by_unit = _reading(column, column.texts, "auto", is_number=False)
        return by_unit or _by_pattern(column)
    readings = [r for unit in _UNITS if (r := _reading(column, column.texts, unit, is_number=True))]
    return max(readings, key=lambda r: r.share, default=None)


def _by_pattern(column: Column) -> TimeReading | None:
    patterns = formats_of(column.distinct_texts) if column.share_matching(_WITH_YEAR) > _MOSTLY else []
    return (
        _reading(column, column.texts, "auto", is_number=False, patterns=tuple(patterns))
        if patterns
        else None
    )


def _reading(
    column: Column, values: Any, unit: TimeUnit, *, is_number: bool, patterns: tuple[str, ...] = ()
) -> TimeReading | None:
    pattern = patterns[0] if patterns else None
    try:
        times, readable = parse_times(
            values if not _is_bytes(values) else text(values)[0], unit, pattern=pattern
        )
    except DataError:
        return None
    limit = (time.time() + 86_400) * 1000
    plausible = readable & (times >= _FIRST_YEAR) & (times <= limit)
    share = float(plausible.sum()) / max(len(values) - values.null_count, 1)
    if share < _MOSTLY:
        return None
    chosen = times[plausible]
    return TimeReading(
        column=column.name,
        unit=unit,
        first=int(chosen.min()),
        last=int(chosen.max()),
        share=share,
        is_number=is_number,
        patterns=patterns,
    )


def _is_bytes(values: Any) -> bool:
    return bool(pa.types.is_binary(values.type))


def _day(milliseconds: int) -> str:
    return np.datetime_as_string(np.datetime64(milliseconds, "ms"), unit="D")
