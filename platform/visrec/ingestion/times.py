"""Conversion of times in any format to milliseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.config.ingest import TimeUnit
from visrec.config.times import BLANK_BEFORE_OFFSET, ZONE_NAME, parse_moment
from visrec.errors import DataError
from visrec.ingestion.arrow_types import is_number_type
from visrec.ingestion.resolution import DAY_MS
from visrec.ingestion.time_patterns import parse_compact, parse_pattern

_PER_MS: dict[str, float] = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
_NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_ZERO_AND_NAME = r"(:[0-9.,]+)\s*[-+]00(?::?00)?" + ZONE_NAME
_COMPACT = r"^[0-9]{8}([0-9]{4}([0-9]{2}([0-9]{3})?)?)?$"
_SCIENTIFIC = r"^[-+]?(?P<whole>[0-9]+)\.?(?P<rest>[0-9]*)[eE]\+?(?P<exponent>[0-9]{1,3})$"
_DIGITS_OF_SECONDS = 10
"""Digits of a time since 1970, down to the second."""

_PLAIN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?Z?$"
_IN_UTC = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+\s*([-+]00(:?00)?\s*)?(?i:utc|gmt|z)$"
_AT_OFFSET = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+\s*[-+][0-9]{2}(:?[0-9]{2})?$"
_LIMIT = 2.0**62
_EXCEL_EPOCH_MS = -25_569 * DAY_MS
"""1899-12-30."""

AUTO_LIMITS: tuple[tuple[TimeUnit, float], ...] = (("s", 1e11), ("ms", 1e14), ("us", 1e17))
"""Unit of numbers below each size, where the unit is `auto`; larger ones are nanoseconds."""
_BELOW_LIMITS = [_PER_MS[unit] for unit, _ in AUTO_LIMITS]

SMALLEST_AUTO = 1e8
"""Numbers from 0 to this are years, compact dates or counts from a start rather than seconds since 1970."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def parse_times(
    column: Any,
    unit: TimeUnit,
    *,
    pattern: str | None = None,
    origin: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Milliseconds of each value.

    Text is read as a number or as a time (see `visrec.config.times`; without a zone: UTC). With `auto` the unit of a
    number follows from its size: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else
    nanoseconds; each of these ranges covers the years 1973 to 5138.

    Args:
        column: pyarrow array of text, numbers, timestamps or dates.
        unit: Unit of numbers.
        pattern: Pattern of strptime that values of text and whole numbers are read by, in the place of the unit.
        origin: Milliseconds from which numbers count.

    Returns:
        Milliseconds, int64 [N] (0 where unreadable), and whether each value is readable, bool [N].

    Raises:
        DataError: The column is of a type that does not hold times.

    Example:
        >>> parse_times(pa.array(["1700000000", "2023-11-14T22:13:20Z", "soon"]), "auto")[0].tolist()
        [1700000000000, 1700000000000, 0]
    """
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        # To microseconds first: every unit and every zone can be cast to it, and the rest is a plain division.
        micros = pc.cast(
            pc.cast(column, pa.timestamp("us", getattr(column.type, "tz", None)), safe=False), pa.int64()
        )
        return _fill(micros) // 1000, _valid(column)
    if is_number_type(column.type):
        if pattern or unit == "iso8601":
            return _from_text(_whole_texts(column), unit, pattern, origin)
        times, readable = _from_numbers(_as_numbers(column), unit, origin)
        return times, readable & ~digits_lost(column)
    if pa.types.is_string(column.type):
        return _from_text(column, unit, pattern, origin)
    raise DataError(f"expected times as text, numbers or timestamps, got a column of {column.type}")


def parse_iso(value: str) -> int | None:
    """Milliseconds of one time as text (see `parse_moment`), or None for other text."""
    moment = parse_moment(value)
    return None if moment is None else (moment - _EPOCH) // _MILLISECOND


def digits_lost(column: Any) -> NDArray[np.bool_]:
    """Which numbers have fewer digits than a time has, by scientific notation or by 32-bit floats: bool [N].

    Example:
        >>> digits_lost(pa.array(["1.67E+12", "1.672531200123E+12", "1672531200"])).tolist()
        [True, False, False]
    """
    if pa.types.is_floating(column.type) and column.type.bit_width < 64:
        limit = {16: 2.0**11, 32: 2.0**24}[column.type.bit_width]
        return np.asarray(np.abs(_fill(pc.cast(column, pa.float64()))) >= limit, np.bool_)
    lost = np.zeros(len(column), bool)
    if pa.types.is_string(column.type):
        written = np.asarray(pc.fill_null(pc.match_substring_regex(column, r"^\s*[-+0-9.]+[eE]"), False))
        if written.any():
            text = pc.utf8_trim_whitespace(column.filter(pa.array(written)))
            groups = pc.extract_regex(text, pattern=_SCIENTIFIC)
            whole, rest, exponent = (pc.struct_field(groups, name) for name in ("whole", "rest", "exponent"))
            digits = pc.add(pc.binary_length(whole), pc.binary_length(rest))
            needed = pc.min_element_wise(
                pc.add(pc.cast(exponent, pa.int32()), pc.binary_length(whole)), _DIGITS_OF_SECONDS
            )
            lost[written] = np.asarray(pc.fill_null(pc.less(digits, needed), False))
    return lost


def small_numbers(column: Any) -> NDArray[np.bool_]:
    """Which values are numbers from 0 to `SMALLEST_AUTO`, too small for a time since 1970 of unknown unit: bool [N]."""
    if pa.types.is_string(column.type):
        text = pc.fill_null(pc.utf8_trim_whitespace(column), "")
        numeric = pc.match_substring_regex(text, _NUMBER)
        column = pc.cast(pc.utf8_ltrim(pc.if_else(numeric, text, "-1"), "+"), pa.float64())
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.zeros(len(column), bool)
    values = np.asarray(pc.fill_null(pc.cast(column, pa.float64()), -1))
    return np.asarray((values >= 0) & (values < SMALLEST_AUTO), np.bool_)


def _as_numbers(column: Any) -> Any:
    return column if pa.types.is_integer(column.type) else pc.cast(column, pa.float64())


def _whole_texts(column: Any) -> Any:
    """Whole numbers as their digits, others as text that is no date."""
    if not pa.types.is_integer(column.type):
        numbers = _fill(pc.cast(column, pa.float64()))
        whole = _valid(column) & (numbers == np.floor(numbers)) & (np.abs(numbers) < 2.0**53)
        column = pa.array(np.where(whole, numbers, 0).astype(np.int64), mask=~whole)
    return pc.cast(column, pa.string())


def _from_text(
    text: Any, unit: TimeUnit, pattern: str | None, origin: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    times, readable = np.zeros(len(text), np.int64), np.zeros(len(text), bool)
    text = pc.fill_null(pc.utf8_trim_whitespace(text), "")
    if pattern:
        return parse_pattern(text, pattern)
    number = np.zeros(len(text), bool)
    if unit != "iso8601":
        number = np.asarray(pc.match_substring_regex(text, _NUMBER))
        whole = number & np.asarray(pc.match_substring_regex(text, r"^[-+]?[0-9]{1,18}$"))
        for mask, kind in ((whole, pa.int64()), (number & ~whole, pa.float64())):
            chosen = pc.utf8_ltrim(text.filter(pa.array(mask)), "+")
            times[mask], readable[mask] = _from_numbers(pc.cast(chosen, kind), unit, origin)
            if kind == pa.float64() and mask.any():
                readable[mask] &= ~digits_lost(chosen)
    else:
        number = np.asarray(pc.match_substring_regex(text, _COMPACT))
        times[number], readable[number] = parse_compact(text.filter(pa.array(number)))
    if unit in ("auto", "iso8601"):
        rest = ~number if unit == "auto" else ~number & ~np.asarray(pc.match_substring_regex(text, _NUMBER))
        times[rest], readable[rest] = _from_iso(text.filter(pa.array(rest)))
    return times, readable


def _from_numbers(column: Any, unit: TimeUnit, origin: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if unit == "excel":
        column, unit, origin = (
            pc.round(pc.multiply(pc.cast(column, pa.float64()), float(DAY_MS))),
            "ms",
            _EXCEL_EPOCH_MS,
        )
    times, readable = _since_1970(column, unit)
    return (np.where(readable, times + origin, 0), readable) if origin else (times, readable)


def _since_1970(column: Any, unit: TimeUnit) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    valid = _valid(column)
    values = _fill(column)
    if unit == "auto":
        size = np.abs(values.astype(np.float64))
        per_ms = np.select([size < limit for _, limit in AUTO_LIMITS], _BELOW_LIMITS, _PER_MS["ns"])
    else:
        per_ms = np.full(len(values), _PER_MS[unit])
    if np.issubdtype(values.dtype, np.integer):
        # Whole numbers stay whole: a float holds nanoseconds since 1970 only to the nearest 256.
        divisor = np.maximum(per_ms, 1).astype(np.int64)
        seconds = per_ms < 1
        fits = ~seconds | (np.abs(values.astype(np.float64)) * 1000 < _LIMIT)
        times = np.where(seconds & fits, values.astype(np.int64), 0) * 1000 + np.where(
            seconds, 0, values // divisor
        )
        return times.astype(np.int64), valid & fits
    with np.errstate(over="ignore", invalid="ignore"):
        # To microseconds first: 1700000000.123 s lies a little below 1700000000123 ms as a float.
        times_float = np.floor(np.round(values / per_ms, 3))
    fits = np.isfinite(times_float) & (np.abs(times_float) < _LIMIT)
    return np.where(fits, times_float, 0).astype(np.int64), valid & fits


def _from_iso(text: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    try:
        return _milliseconds(_without_z(text)), np.ones(len(text), bool)
    except pa.ArrowInvalid:  # some values are of another form, or no times
        times, readable = np.zeros(len(text), np.int64), np.zeros(len(text), bool)
    # The values of each usual form at once; the rest value by value.
    for form, read in ((_PLAIN, _without_z), (_IN_UTC, _without_zone), (_AT_OFFSET, _with_offset)):
        mask = np.asarray(pc.match_substring_regex(text, form)) & ~readable
        if mask.any():
            try:
                times[mask] = _milliseconds(read(text.filter(pa.array(mask))))
                readable |= mask
            except pa.ArrowInvalid:  # a day or an hour that does not exist
                continue
    rest = np.flatnonzero(~readable)
    values = [parse_iso(value) for value in text.take(pa.array(rest)).to_pylist()]
    times[rest] = [value or 0 for value in values]
    readable[rest] = [value is not None for value in values]
    return times, readable


def _milliseconds(moments: Any) -> NDArray[np.int64]:
    return _fill(pc.cast(moments, pa.int64())) // 1000


def _without_z(text: Any) -> Any:
    """Timestamps of values such as 2023-11-14T22:13:20.123Z."""
    return pc.cast(pc.utf8_rtrim(text, "Z"), pa.timestamp("us"))


def _without_zone(text: Any) -> Any:
    """Timestamps of values such as 2023-11-14 22:13:20 UTC or 2023-11-14 22:13:20 +0000 UTC."""
    unnamed = pc.replace_substring_regex(text, _ZERO_AND_NAME, r"\1")
    return pc.cast(pc.replace_substring_regex(unnamed, ZONE_NAME, ""), pa.timestamp("us"))


def _with_offset(text: Any) -> Any:
    """Timestamps of values such as 2023-11-15 00:13:20 +02:00."""
    joined = pc.replace_substring_regex(text, BLANK_BEFORE_OFFSET, r"\1\2")
    return pc.cast(joined, pa.timestamp("us", "UTC"))


def _valid(column: Any) -> NDArray[np.bool_]:
    return np.asarray(pc.is_valid(column))


def _fill(column: Any) -> NDArray[Any]:
    return np.asarray(pc.fill_null(column, 0))
