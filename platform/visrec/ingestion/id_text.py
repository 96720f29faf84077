"""Canonical text of ids: the same id has the same text in CSV, JSONL and Parquet, whatever the type of its column.

Whole numbers that went through a float column (`17850.0`) are the whole number (`17850`). Floats hold whole numbers
exactly up to a limit only (2^53 for 64 bits): beyond it the last digits of an id are lost, so such values are marked
and never used.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.errors import DataError
from visrec.ingestion.arrow_types import is_number_type, is_text_type
from visrec.ingestion.values import text

ID_TYPES = "text, whole numbers or UUIDs"
"""The types of columns that hold ids, for messages."""

_MISSING = ("NaN", "nan", "NAN", "NULL", "null", "Null", "\\N")
_WHOLE = r"^(0|-?[1-9][0-9]*)\.0+$"
_SCIENTIFIC = r"^-?[0-9](\.[0-9]+)?[eE]\+[0-9]{2,3}$"
_EXACT = {16: 2.0**11, 32: 2.0**24, 64: 2.0**53}
"""Up to where a float of so many bits holds every whole number."""
_HEX = np.frombuffer("".join(f"{code:02x}" for code in range(256)).encode(), np.uint8).reshape(256, 2)
_UUID_DASHES = (8, 13, 18, 23)


@dataclass(frozen=True, kw_only=True, slots=True)
class IdTexts:
    """A column of ids.

    Attributes:
        values: pyarrow string array; missing values, and those of the other two fields, are null.
        undecodable: Whether each value is bytes that are not UTF-8, bool [N].
        digits_lost: Whether each value is a number whose last digits a float column has lost, bool [N].
    """

    values: Any
    undecodable: NDArray[np.bool_]
    digits_lost: NDArray[np.bool_]


def id_texts(column: Any) -> IdTexts:
    r"""The canonical text of each id. Empty values, `NaN`, `null` and `\N` are missing.

    Args:
        column: pyarrow array of any type that `is_id_type` knows.

    Raises:
        DataError: The column's type is none of ids.

    Example:
        >>> ids = id_texts(pa.array(["17850.0", "007", "null", "1.5e+18"]))
        >>> ids.values.to_pylist(), ids.digits_lost.tolist()
        (['17850', '007', None, None], [False, False, False, True])
    """
    kind = column.type
    if not is_id_type(kind):
        raise DataError(f"expected ids as {ID_TYPES}, got a column of {kind}")
    if is_uuid(kind):
        column = uuid_texts(column)
    if pa.types.is_floating(kind):
        column, lost = _from_floats(column)
        return IdTexts(values=column, undecodable=np.zeros(len(column), bool), digits_lost=lost)
    values, undecodable = text(column)
    lost = np.zeros(len(values), bool)
    if pa.types.is_integer(kind) or is_uuid(kind):
        return IdTexts(values=values, undecodable=undecodable, digits_lost=lost)
    content = _content(values)
    if any(marker.encode() in content for marker in _MISSING):
        values = _without(values, pc.is_in(values, value_set=pa.array(_MISSING)))
    if b"+" in content or b".0" in content:
        # Decimals are exact, however many digits they have.
        values, lost = _from_written_floats(values, exact=pa.types.is_decimal(kind))
    return IdTexts(values=values, undecodable=undecodable, digits_lost=lost)


def digits_lost_note(role: str, column: Any) -> str:
    """What to say beside a value that has lost digits.

    Example:
        >>> digits_lost_note("user_id", pa.array([1e18]))
        ' (user_id: a double column loses digits of whole numbers this long; write them as text or integers)'
    """
    kind = f"a {column.type}" if pa.types.is_floating(column.type) else "a float"
    return f" ({role}: {kind} column loses digits of whole numbers this long; write them as text or integers)"


def is_id_type(kind: Any) -> bool:
    """Whether a column of a pyarrow type can hold ids: text, UTF-8 bytes, numbers, UUIDs, or nothing but nulls."""
    if pa.types.is_dictionary(kind):
        return is_id_type(kind.value_type)
    return is_text_type(kind) or is_number_type(kind) or is_uuid(kind)


def is_uuid(kind: Any) -> bool:
    """Whether a pyarrow type is that of UUIDs."""
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.uuid"


def uuid_texts(column: Any) -> Any:
    """A pyarrow array of UUIDs as their usual text of 36 characters.

    Example:
        >>> uuid_texts(pa.array([bytes(16)], pa.uuid())).to_pylist()
        ['00000000-0000-0000-0000-000000000000']
    """
    present = np.asarray(pc.is_valid(column))
    storage = pc.fill_null(column.storage, bytes(16))
    start = 16 * storage.offset
    codes = np.frombuffer(storage.buffers()[1], np.uint8)[start : start + 16 * len(storage)]
    characters = np.full((len(storage), 36), ord("-"), np.uint8)
    characters[:, np.setdiff1d(np.arange(36), _UUID_DASHES)] = _HEX[codes].reshape(len(storage), 32)
    offsets = np.arange(len(storage) + 1, dtype=np.int32) * 36
    texts = pa.StringArray.from_buffers(
        len(storage), pa.py_buffer(offsets), pa.py_buffer(characters.reshape(-1))
    )
    return pc.if_else(pa.array(present), texts, pa.scalar(None, pa.string()))


def _from_floats(column: Any) -> tuple[Any, NDArray[np.bool_]]:
    limit = _EXACT[column.type.bit_width]
    numbers = np.asarray(pc.fill_null(pc.cast(column, pa.float64()), np.nan))
    whole = (numbers == np.floor(numbers)) & (np.abs(numbers) < limit)
    digits = pc.cast(pa.array(np.where(whole, numbers, 0).astype(np.int64)), pa.string())
    values = pc.if_else(pa.array(whole), digits, pc.cast(column, pa.string()))
    missing = np.isnan(numbers)
    small = np.asarray(pc.fill_null(pc.match_substring(values, "e"), False))  # such as 1e-7
    lost = (np.abs(numbers) >= limit) | (small & ~missing & ~whole)
    return _without(values, pa.array(missing | lost)), lost


def _from_written_floats(values: Any, *, exact: bool) -> tuple[Any, NDArray[np.bool_]]:
    """Text such as a library writes floats to: `17850.0` as the whole number; digits lost beyond 2^53 are marked."""
    whole = pc.fill_null(pc.match_substring_regex(values, _WHOLE), False)
    digits = pc.replace_substring_regex(values, r"\.0+$", "")
    lost = np.asarray(pc.fill_null(pc.match_substring_regex(values, _SCIENTIFIC), False))
    if not exact:
        numbers = pc.cast(pc.if_else(whole, digits, pa.scalar(None, pa.string())), pa.float64())
        lost = lost | np.asarray(pc.fill_null(pc.greater_equal(pc.abs(numbers), _EXACT[64]), False))
    return _without(pc.if_else(whole, digits, values), pa.array(lost)), lost


def _without(values: Any, mask: Any) -> Any:
    return pc.if_else(mask, pa.scalar(None, pa.string()), values)


def _content(values: Any) -> bytes:
    """All texts after one another: to see at once that none of them holds something."""
    data = values.buffers()[2]
    return b"" if data is None else bytes(data)
