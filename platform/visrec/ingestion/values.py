"""Conversion of columns of any type to text and numbers, with a mask of the values that cannot be read."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.errors import DataError


def text(column: Any) -> tuple[Any, NDArray[np.bool_]]:
    """A column as text without spaces around it; empty values become null.

    Whole numbers become their digits, also those of a float column (such as an id column with nulls).

    Returns:
        pyarrow string array, and whether each value is bytes that are not UTF-8, bool [N].

    Raises:
        DataError: The column's type is neither text nor numbers.

    Example:
        >>> values, undecodable = text(pa.array([b" a ", b"", b"\\xff"]))
        >>> values.to_pylist(), undecodable.tolist()
        (['a', None, None], [False, False, True])
    """
    broken = np.zeros(len(column), bool)
    if pa.types.is_binary(column.type):
        column, broken = _decode(column)
    elif pa.types.is_floating(column.type):
        column = _whole(column)
    elif not pa.types.is_string(column.type):
        try:
            column = pc.cast(column, pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise DataError(f"expected a column of text or numbers, got one of {column.type}") from None
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed), broken


def integers(column: Any) -> tuple[Any, NDArray[np.bool_]]:
    """A column as int64; empty values become null.

    Returns:
        pyarrow int64 array, and whether each value is there but not a whole number, bool [N].
    """
    values, broken = text(column)
    number = pc.fill_null(pc.match_substring_regex(values, r"^[-+]?[0-9]{1,18}(\.0*)?$"), False)
    bad = broken | (np.asarray(pc.is_valid(values)) & ~np.asarray(number))
    digits = pc.replace_substring_regex(
        pc.if_else(number, values, pa.scalar(None, pa.string())), r"^\+|\.0*$", ""
    )
    return pc.cast(digits, pa.int64()), bad


def not_utf8_note(setting: str) -> str:
    """What to say beside a value that is not UTF-8.

    Args:
        setting: Of the table that holds it.

    Example:
        >>> not_utf8_note("ingest.items")
        ' (not UTF-8; where the file has another encoding, set ingest.items.encoding, such as cp1252)'
    """
    return f" (not UTF-8; where the file has another encoding, set {setting}.encoding, such as cp1252)"


def floats(column: Any) -> tuple[Any, NDArray[np.bool_]]:
    """A column as float64; empty values become null.

    Returns:
        pyarrow float64 array, and whether each value is there but not a finite number, bool [N].
    """
    values, broken = text(column)
    number = pc.fill_null(
        pc.match_substring_regex(values, r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?$"), False
    )
    bad = broken | (np.asarray(pc.is_valid(values)) & ~np.asarray(number))
    return pc.cast(
        pc.utf8_ltrim(pc.if_else(number, values, pa.scalar(None, pa.string())), "+"), pa.float64()
    ), bad


def shown(value: Any, length: int) -> str:
    """A value for a message, bytes as text: at most `length` characters.

    Example:
        >>> shown(b"a\\xff", 10), shown("a long value", 7)
        ('a\\\\xff', 'a long…')
    """
    text = value.decode("utf-8", errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _decode(column: Any) -> tuple[Any, NDArray[np.bool_]]:
    try:
        return pc.cast(column, pa.string()), np.zeros(len(column), bool)
    except pa.ArrowInvalid:  # some value is not UTF-8
        decoded = [_utf8(value) for value in column.to_pylist()]
        broken = np.array([value is None for value in decoded]) & np.asarray(pc.is_valid(column))
        return pa.array(decoded, pa.string()), broken


def _utf8(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _whole(column: Any) -> Any:
    """A float column as text, whole numbers without the point."""
    values = np.asarray(pc.fill_null(column, np.nan), np.float64)
    # Up to 2^53 a float holds every whole number.
    exact = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2.0**53)
    whole = pa.array(np.where(exact, values, 0).astype(np.int64)).cast(pa.string())
    return pc.if_else(pa.array(exact), whole, pc.cast(column, pa.string()))
