"""Readers of JSON: one object a line, or objects in an array or over several lines."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.errors import DataError
from visrec.ingestion.cells import describe
from visrec.ingestion.raw_rows import RawRows

_SEPARATORS = re.compile(r"[\s,\[\]]*")
_NEXT_OBJECT = re.compile(r"(?:\n[ \t\r]*|\}\s*,?\s*)(?=\{)")
_ROWS_PER_PIECE = 100_000
_MAX_OBJECT = 64 << 20
"""Characters of one object."""
_LONGEST_TOKEN = 64
"""Characters at the end of a piece within which JSON that is cut off can seem to be wrong."""

_ID_ROLES = {"user_id", "item_id", "session_id", "event_id"}
"""Roles whose values are single texts or numbers; a list or mapping has no text of its own."""
_TYPE_KEYS = {"$oid", "$uuid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal"}


def jsonl_rows(data: bytes, columns: Mapping[str, str]) -> RawRows:
    """Parse whole lines of JSON objects. A missing key is a missing value; lists are kept as JSON text.

    Args:
        data: The lines.
        columns: Role and key of the columns to read.

    Raises:
        DataError: One object holds all the rows under a key.

    Example:
        >>> rows = jsonl_rows(b'{"u": 7}\\n[]\\n', {"user_id": "u"})
        >>> rows.columns["user_id"].to_pylist(), rows.malformed
        (['7'], [(2, '[]')])
    """
    rows = _Rows(columns)
    first: dict[str, Any] = {}
    split = data.split(b"\n")
    for number, line in enumerate(split, start=1):
        if not line.strip():
            continue
        row = json_object(line)
        if row is None:
            rows.malformed.append((number, line.decode("utf-8", errors="replace").rstrip("\r")))
        else:
            rows.add(row, number)
            first = first or row
    if first and rows.num_rows + len(rows.malformed) == 1:
        _check_wrapper(first, columns)
    return rows.table(num_lines=len(split) - (not split[-1]))


def json_rows(pieces: Iterable[str], columns: Mapping[str, str]) -> Iterator[RawRows]:
    """Parse JSON objects one after the other: in an array, over several lines, or many on one line.

    Of text that is no object the first line is malformed, and reading goes on where the next object begins.

    Args:
        pieces: The text, cut anywhere.
        columns: Role and key of the columns to read.

    Raises:
        DataError: One object holds all the rows under a key.

    Example:
        >>> (rows,) = json_rows(['[{"u": 7},', '\\n{"u": 8}]'], {"user_id": "u"})
        >>> rows.columns["user_id"].to_pylist(), rows.lines.tolist()
        (['7', '8'], [1, 2])
    """
    text = _Text(pieces)
    rows = _Rows(columns)
    done = 1
    in_array = text.next_value() and "[" in text.skipped
    while text.next_value():
        line = text.line
        try:
            value = text.decode()
        except (ValueError, RecursionError):
            rows.malformed.append((line, text.skip_broken()))
        else:
            if isinstance(value, dict):
                if done == 1 and not rows.num_rows:
                    _check_wrapper(value, columns)
                rows.add(value, line)
            else:
                rows.malformed.append((line, json.dumps(value)))
        if rows.num_rows >= _ROWS_PER_PIECE:
            yield rows.table(num_lines=text.line - done)
            rows, done = _Rows(columns), text.line
    last = text.skipped.rstrip()[-1:]
    if in_array and last != "]":
        rows.malformed.append((text.line, "the file ends before the array does"))
    yield rows.table(num_lines=text.line - done + 1)


class _Text:
    """Text that is read on as far as it is needed.

    Attributes:
        line: Number of the line at the position, from 1.
        skipped: Blanks, commas and brackets before the position.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._buffer, self._position = "", 0
        self._decoder = json.JSONDecoder()
        self.line, self.skipped = 1, ""

    def next_value(self) -> bool:
        """Go to the next value; whether there is one."""
        while True:
            match = _SEPARATORS.match(self._buffer, self._position)
            end = match.end() if match else self._position
            if end < len(self._buffer) or not self._more():
                break
        if end > self._position:
            self.skipped = self._buffer[self._position : end]
            self._go_to(end)
        return self._position < len(self._buffer)

    def decode(self) -> Any:
        """Parse the value at the position and go behind it.

        Raises:
            ValueError: It is no JSON.
            RecursionError: It is nested too deeply.
        """
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._position)
            except json.JSONDecodeError as error:
                cut_off = error.pos > len(self._buffer) - _LONGEST_TOKEN or "Unterminated" in error.msg
                if not (cut_off and len(self._buffer) - self._position < _MAX_OBJECT and self._more()):
                    raise
                continue
            if end < len(self._buffer) or isinstance(value, dict) or not self._more():  # a number may go on
                self.skipped = ""
                self._go_to(end)
                return value

    def skip_broken(self) -> str:
        """Go to the next beginning of an object; the rest of the line before."""
        found = _NEXT_OBJECT.search(self._buffer, self._position + 1)
        line = self._buffer[self._position :].split("\n", 1)[0].rstrip("\r")
        self.skipped = ""
        self._go_to(found.end() if found else len(self._buffer))
        return line

    def _go_to(self, end: int) -> None:
        self.line += self._buffer.count("\n", self._position, end)
        self._position = end

    def _more(self) -> bool:
        piece = next(self._pieces, None)
        self._buffer, self._position = self._buffer[self._position :] + (piece or ""), 0
        return piece is not None


class _Rows:
    """Rows under construction."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._columns = columns
        self._values: dict[str, list[str | None]] = {role: [] for role in columns}
        self._lines: list[int] = []
        self._present: set[str] = set()
        self.malformed: list[tuple[int, str]] = []

    @property
    def num_rows(self) -> int:
        return len(self._lines)

    def add(self, row: dict[str, Any], line: int) -> None:
        values = {role: _unwrapped(row.get(key)) for role, key in self._columns.items()}
        self._present.update(role for role, key in self._columns.items() if key in row)
        for role in _ID_ROLES & values.keys():
            if isinstance(values[role], list | dict):
                self.malformed.append((line, f"{role} holds {describe(values[role])}"))
                return
        self._lines.append(line)
        for role, value in values.items():
            self._values[role].append(_as_text(value))

    def table(self, num_lines: int) -> RawRows:
        return RawRows(
            columns={role: pa.array(column, pa.string()) for role, column in self._values.items()},
            lines=np.array(self._lines, np.int64),
            malformed=self.malformed,
            num_lines=num_lines,
            absent=frozenset(self._columns) - self._present,
        )


def _check_wrapper(value: dict[str, Any], columns: Mapping[str, str]) -> None:
    """Check that the only object of a file, or its first one over several lines, is a row."""
    mapped = [value[key] for key in columns.values() if key in value]
    if len(mapped) > 1 and all(isinstance(inner, list | dict) for inner in mapped):
        raise DataError(
            f"expected an object for each row with the keys {', '.join(columns.values())}, found one object that "
            "holds whole columns; write it row by row, e.g. with pandas to_json(orient='records', lines=True)"
        )
    if mapped:
        return
    for key, inner in value.items():
        if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner):
            raise DataError(
                f"expected objects with the keys {', '.join(columns.values())}, found one object that holds "
                f"{len(inner):,} rows under {key!r}; take them out, e.g. with jq -c '.{key}[]'"
            )


def json_object(line: str | bytes) -> dict[str, Any] | None:
    """The object that a line holds; None where it is no JSON or another value.

    Example:
        >>> json_object('{"u": 7}'), json_object("[]")
        ({'u': 7}, None)
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _unwrapped(value: Any) -> Any:
    """A value without the mapping of one key by which MongoDB's exports tell its type, such as `{"$oid": "5f43"}`."""
    while isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _TYPE_KEYS:
        (value,) = value.values()
    return value


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None or _encodable(value) else json.dumps(value)
    return json.dumps(value)


def _encodable(text: str) -> bool:
    """Whether the text is Unicode; JSON can also spell half of a surrogate pair."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)
