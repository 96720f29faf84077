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

_FIRST_YEAR = datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1000
_DAY_MS = 86_400_000
_UNITS: tuple[TimeUnit, ...] = ("s", "ms", "us", "ns")


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
    """

    column: str
    unit: TimeUnit
    first: int
    last: int
    share: float
    is_number: bool

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
        return _reading(column, column.texts, "auto", is_number=False)
    readings = [r for unit in _UNITS if (r := _reading(column, column.texts, unit, is_number=True))]
    return max(readings, key=lambda r: r.share, default=None)


def _reading(column: Column, values: Any, unit: TimeUnit, *, is_number: bool) -> TimeReading | None:
    try:
        times, readable = parse_times(values if not _is_bytes(values) else text(values)[0], unit)
    except DataError:
        return None
    limit = (time.time() + 86_400) * 1000
    plausible = readable & (times >= _FIRST_YEAR) & (times <= limit)
    share = float(plausible.sum()) / max(len(values) - values.null_count, 1)
    if share < 0.9:
        return None
    chosen = times[plausible]
    return TimeReading(
        column=column.name,
        unit=unit,
        first=int(chosen.min()),
        last=int(chosen.max()),
        share=share,
        is_number=is_number,
    )


def _is_bytes(values: Any) -> bool:
    return bool(pa.types.is_binary(values.type))


def _day(milliseconds: int) -> str:
    return np.datetime_as_string(np.datetime64(milliseconds, "ms"), unit="D")
