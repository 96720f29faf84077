"""Times by a pattern of strptime, and compact dates such as 20230101222245."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DIGITS = {"Y": "[0-9]{4}", "f": "[0-9]{1,6}", **dict.fromkeys("mdHMS", "[0-9]{1,2}")}
_FIRST = {"Y": 1970, "m": 1, "d": 1, "H": 0, "M": 0, "S": 0, "f": 0}
_COMPACT = (
    r"^(?P<Y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
    r"(?:(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?:(?P<S>[0-9]{2})(?P<f>[0-9]{3})?)?)?$"
)


def parse_pattern(text: Any, pattern: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Milliseconds of times by a pattern of strptime; without a zone in it they are UTC.

    Patterns of numbers (%Y %m %d %H %M %S %f) are read in whole columns, others once for each different value.

    Args:
        text: pyarrow string array without nulls.
        pattern: Such as `%d/%m/%Y %H:%M`.

    Returns:
        Milliseconds, int64 [N] (0 where unreadable), and whether each value is readable, bool [N].

    Example:
        >>> parse_pattern(pa.array(["31/12/2023", "31/2/2023"]), "%d/%m/%Y")
        (array([1703980800000,             0]), array([ True, False]))
    """
    expression = _as_expression(pattern)
    if expression is not None:
        return _by_expression(text, expression)
    values = text.dictionary_encode()
    found = [_strptime(value, pattern) for value in values.dictionary.to_pylist()]
    codes = np.asarray(values.indices)
    times, readable = (
        np.array([t or 0 for t in found], np.int64),
        np.array([t is not None for t in found], bool),
    )
    return times[codes], readable[codes]


def parse_compact(text: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Milliseconds of dates of 8 digits, or of 12, 14 or 17 digits with the time, UTC; returns as `parse_pattern`.

    Example:
        >>> parse_compact(pa.array(["20230101", "20230101222245", "20231301"]))[1].tolist()
        [True, True, False]
    """
    return _by_expression(text, _COMPACT)


def _by_expression(text: Any, expression: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    groups = pc.extract_regex(text, pattern=expression)
    parts = {field.name: _numbers(groups, field.name) for field in groups.type}
    year, month, day, hour, minute, second, fraction = (
        parts.get(name, np.full(len(text), first)) for name, first in _FIRST.items()
    )
    matched = np.asarray(pc.is_valid(groups))
    months = np.clip(month, 1, 12) - 1 + 12 * (year - 1970)
    starts = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    ends = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    readable: NDArray[np.bool_] = (
        matched & (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= ends - starts)
    )
    readable &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = (((starts + day - 1) * 24 + hour) * 60 + minute) * 60 + second
    return np.where(readable, seconds * 1000 + fraction // 1000, 0), readable


def _numbers(groups: Any, name: str) -> NDArray[np.int64]:
    """Values of one group; the first of its kind (January, midnight) where a text does not have it."""
    digits = pc.struct_field(groups, name)
    if name == "f":  # a fraction: microseconds
        digits = pc.utf8_rpad(digits, 6, "0")
    absent = pc.equal(pc.binary_length(digits), 0) if name != "f" else pc.equal(digits, "000000")
    digits = pc.if_else(absent, str(_FIRST[name]), digits)
    return np.asarray(pc.fill_null(pc.cast(digits, pa.int64()), _FIRST[name]))


def _as_expression(pattern: str) -> str | None:
    """Regular expression of a pattern of numbers; None for other patterns."""
    out, names = "", []
    for part in re.findall(r"%.|\s+|[^%\s]+", pattern):
        if part[0] == "%":
            name = part[1]
            if name not in _DIGITS or name in names:
                return None
            names.append(name)
            out += f"(?P<{name}>{_DIGITS[name]})"
        else:
            out += r"\s+" if part.isspace() else re.escape(part)
    return f"^{out}$" if "Y" in names else None


def _strptime(value: str, pattern: str) -> int | None:
    try:
        moment = datetime.strptime(value, pattern)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
