"""Cells that hold several values: lists and mappings of Parquet and JSON, or the text of one, as plain values."""

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from visrec.ingestion.values import shown

_NUMPY_LIST = re.compile(r"""\[\s*(?:'[^']*'|"[^"]*")(?:\s+(?:'[^']*'|"[^"]*"))+\s*\]""")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_SEPARATORS_IN_KEYS = re.compile(r"[\s_-]+")
_SHOWN_LENGTH = 80


class UnreadableCellError(ValueError):
    """A cell holds a value that has no reading; the message says what it is."""


def decode_cell(text: str) -> Any:
    """The list or mapping that a text holds in JSON or, as table libraries write it, in the notation of Python or
    NumPy; the text itself where it holds none.

    Example:
        >>> decode_cell('["a|b", 2]'), decode_cell("['a', None]"), decode_cell("['a' 'b']"), decode_cell("[odd")
        (['a|b', 2], ['a', None], ['a', 'b'], '[odd')
    """
    stripped = text.strip()
    if not stripped or (stripped[0], stripped[-1]) not in {("[", "]"), ("{", "}")}:
        return text
    try:
        value = json.loads(stripped)
        return value if isinstance(value, list | dict) else text
    except (ValueError, RecursionError):
        pass
    if _NUMPY_LIST.fullmatch(stripped):  # Python would join its elements to one text
        return [single or double for single, double in _QUOTED.findall(stripped)]
    try:
        value = ast.literal_eval(stripped)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text
    return value if isinstance(value, list | dict) else text


def scalar_text(value: Any) -> str | None:
    """A single value as text, without spaces around it; None for a missing one.

    Raises:
        UnreadableCellError: The value is a list, a mapping, or of another type that has no text of its own.

    Example:
        >>> scalar_text(" a "), scalar_text(True), scalar_text(2.0), scalar_text(" "), scalar_text(float("nan"))
        ('a', 'true', '2', None, None)
    """
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8").strip() or None
        except UnicodeDecodeError:
            raise UnreadableCellError("bytes that are not UTF-8") from None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)
    if isinstance(value, int | Decimal):
        return str(value)
    raise UnreadableCellError(describe(value))


def elements(value: Any) -> Iterator[Any]:
    """The elements of a list, of lists within it too, in order; a single value is one element, None is none.

    Example:
        >>> list(elements([["a", None], ["b"]])), list(elements("a")), list(elements(None))
        (['a', 'b'], ['a'], [])
    """
    if isinstance(value, list | tuple):
        for element in value:
            yield from elements(element)
    elif value is not None:
        yield value


def plain_key(key: Any) -> str:
    """A key of a mapping in lower case, without blanks, `-` and `_`.

    Example:
        >>> plain_key("Hi_Res"), plain_key("hi-res"), plain_key("hiRes")
        ('hires', 'hires', 'hires')
    """
    return _SEPARATORS_IN_KEYS.sub("", str(key)).casefold()


def describe(value: Any) -> str:
    """A value of unexpected kind in words.

    Example:
        >>> describe({"id": 1, "name": "A"}), describe([1])
        ('a mapping with the keys id, name', 'a list')
    """
    if isinstance(value, Mapping):
        keys = shown(", ".join(str(key) for key in value), _SHOWN_LENGTH)
        return f"a mapping with the keys {keys}" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"a value of type {type(value).__name__}"
