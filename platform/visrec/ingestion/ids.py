"""Ids: their longest length, and their natural order: by value where all are integers, else by text."""

import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.data.schemas import MAX_ID_BYTES

# No leading zeros: "7" and "007" are two ids, and by value they would tie.
_INTEGER = r"^(0|-?[1-9][0-9]{0,17})$"


def too_long(ids: Any) -> NDArray[np.bool_]:
    """Which ids of a pyarrow string array are longer than `MAX_ID_BYTES`, and so cannot be asked for; bool [N].

    Example:
        >>> too_long(pa.array(["i1", "x" * 3000, None])).tolist()
        [False, True, False]
    """
    return np.asarray(
        pc.fill_null(pc.greater(pc.binary_length(ids), MAX_ID_BYTES), fill_value=False), np.bool_
    )


def is_integer(ids: Any) -> NDArray[np.bool_]:
    """Whether each id of a pyarrow string array is a plain integer of at most 18 digits: bool [N].

    Example:
        >>> is_integer(pa.array(["3", "-12", "007", "x"])).tolist()
        [True, True, False, False]
    """
    return np.asarray(pc.match_substring_regex(ids, _INTEGER), np.bool_)


def fill_digits(ids: Any, width: int | None) -> Any:
    """Ids of digits alone with zeros before them, up to a width; None leaves all as they are.

    Example:
        >>> fill_digits(pa.array(["17", "a7", None]), 4).to_pylist()
        ['0017', 'a7', None]
    """
    if width is None:
        return ids
    return pc.if_else(pc.match_substring_regex(ids, "^[0-9]+$"), pc.utf8_lpad(ids, width, "0"), ids)


def nfc(name: str) -> str:
    """An id or name in the Unicode form in which letters with marks are one character."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def all_integers(ids: Any) -> bool:
    """Whether every id of a pyarrow string array is a plain integer.

    Example:
        >>> all_integers(pa.array(["3", "-12"])), all_integers(pa.array(["3", "007"]))
        (True, False)
    """
    return bool(pc.all(pc.match_substring_regex(ids, _INTEGER), min_count=0).as_py())


def sort_key(ids: Any, *, integers: bool) -> Any:
    """Sort key of ids: a pyarrow int64 array of their values, or the texts themselves."""
    return pc.cast(ids, pa.int64()) if integers else ids


def natural_order(ids: Any, *, integers: bool | None = None) -> NDArray[np.int64]:
    """Indices that sort the ids into their natural order.

    Args:
        ids: pyarrow string array.
        integers: Whether to compare by value; None finds out from the ids.

    Example:
        >>> natural_order(pa.array(["10", "9"])).tolist(), natural_order(pa.array(["i10", "i9"])).tolist()
        ([1, 0], [0, 1])
    """
    by_value = all_integers(ids) if integers is None else integers
    return np.asarray(pc.sort_indices(sort_key(ids, integers=by_value)), np.int64)
