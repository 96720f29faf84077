"""Quotes in text files: values that hold delimiters and line breaks, and quotes that mean nothing.

A field is quoted where it begins with a quote and the next quote that is not doubled (or escaped, `\\"`) ends it. A
quote anywhere else is a character like any other. Most lines are told to be in order by arrays; only the others are
looked at one by one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUOTE, _NEWLINE, _RETURN = ord('"'), ord("\n"), ord("\r")
_MAX_LINES = 1000
"""Of a record with line breaks in its values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Reading of a line that has quotes in unusual places.

    Attributes:
        line: Number of its first line, from 0.
        num_lines: Lines that it takes: more than one where a value holds line breaks.
        text: The same record with regular quotes and a line end; None for a line that cannot be read.
    """

    line: int
    num_lines: int
    text: bytes | None


class QuoteReader:
    """Reads lines of one file by the rules above.

    Args:
        delimiter: One character.
        num_fields: Fields of a row.
        trust_quotes: Quoted values may run over lines that would be rows by themselves.
    """

    def __init__(self, delimiter: bytes, num_fields: int, *, trust_quotes: bool = False) -> None:
        self._delimiter, self._num_fields, self._trust_quotes = delimiter, num_fields, trust_quotes
        d, blanks = re.escape(delimiter), b"" if delimiter == b" " else b" *"
        end = rb"(?=%b|\r?\n|\r?\Z)" % d
        plain = rb"(?!%b\")([^%b\n]*+)" % (blanks, d)
        doubled = rb'%b"((?:[^"]++|"")*+)"%b%b' % (blanks, blanks, end)
        escaped = rb'%b"((?:[^"\\]++|\\.|"")*+)"%b%b' % (blanks, blanks, end)
        field = rb'(?:"(?:[^"]++|"")*+"|[^"%b\r\n]*+)' % d
        self._whole = re.compile(rb"%b(?:%b%b){%d}\r*\n?" % (field, d, field, num_fields - 1))
        self._regular = re.compile(doubled + b"|" + plain, re.DOTALL)
        self._escaped = re.compile(escaped + b"|" + plain, re.DOTALL)

    def unusual_lines(self, data: bytes, ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the lines whose quotes do not all begin, end or double a quote within a quoted field.

        Example:
            >>> data = b'1,"a, b"\\n2,14" x 18"\\n3,"a\\n'
            >>> QuoteReader(b",", 2).unusual_lines(data, np.array([9, 20, 25])).tolist()
            [1, 2]
        """
        codes = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(codes == _QUOTE)
        if not len(quotes):
            return np.zeros(0, np.int64)
        lines = np.searchsorted(ends, quotes, side="right")
        firsts = np.flatnonzero(np.r_[True, lines[1:] != lines[:-1]])
        counts = np.diff(np.r_[firsts, len(quotes)])
        opening = (np.arange(len(quotes)) - np.repeat(firsts, counts)) % 2 == 0
        padded = np.r_[np.uint8(_NEWLINE), codes, np.uint8(_NEWLINE)]
        neighbour = np.where(opening, padded[quotes], padded[quotes + 2])
        allowed = np.zeros(256, bool)
        allowed[[_QUOTE, _NEWLINE, _RETURN, self._delimiter[0]]] = True
        unusual = np.union1d(lines[~allowed[neighbour]], lines[firsts[counts % 2 == 1]])
        return np.asarray(unusual, np.int64)

    def records(
        self, data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], lines: Sequence[int]
    ) -> list[Record]:
        """Read lines one by one; those that belong to the record of a line before are left out.

        Args:
            data: Whole lines.
            starts: Position of each line.
            ends: Position after each line.
            lines: Numbers of the lines to read, ascending.
        """
        records: list[Record] = []
        patterns = self._patterns(data) if len(lines) else ()
        after = 0
        for line in lines:
            if line >= after:
                records.append(self._record(data, starts, ends, int(line), patterns))
                after = records[-1].line + records[-1].num_lines
        return records

    def is_row(self, line: bytes) -> bool:
        """Whether a line is a whole record of the right number of fields by itself."""
        if b'"' not in line:
            return bool(line.strip()) and line.count(self._delimiter) == self._num_fields - 1
        return any(self._fields(pattern, line, 0, len(line)) for pattern in self._patterns(line))

    def is_regular_row(self, line: bytes) -> bool:
        """Whether a line is a whole record and has no quote that does not begin, end or double one in a field."""
        return bool(line.strip()) and self._whole.fullmatch(line) is not None

    def _record(
        self,
        data: bytes,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        line: int,
        patterns: Sequence[re.Pattern[bytes]],
    ) -> Record:
        start, end = int(starts[line]), int(ends[line])
        limit = int(ends[min(line + _MAX_LINES, len(ends)) - 1])
        for pattern in patterns:
            found = self._fields(pattern, data, start, limit)
            if found:
                last = int(np.searchsorted(ends, found[1], side="right" if found[1] < limit else "left"))
                lines = [data[starts[k] : ends[k]] for k in range(line, min(last + 1, len(ends)))]
                if len(lines) == 1 or self._trust_quotes or not self._are_rows(lines):
                    return Record(line=line, num_lines=len(lines), text=self._regular_text(found[0]))
        fields = data[start:end].rstrip(b"\r\n").split(self._delimiter)
        if len(fields) != self._num_fields:
            return Record(line=line, num_lines=1, text=None)
        return Record(line=line, num_lines=1, text=self._regular_text([self._unquoted(f) for f in fields]))

    def _patterns(self, data: bytes) -> tuple[re.Pattern[bytes], ...]:
        return (self._regular, self._escaped) if b'\\"' in data else (self._regular,)

    def _fields(
        self, pattern: re.Pattern[bytes], data: bytes, start: int, limit: int
    ) -> tuple[list[bytes], int] | None:
        """Values of the record at `start` and the position of its line end; None without the right number of them."""
        found = self._parse(pattern, data, start, limit)
        return found if found and len(found[0]) == self._num_fields else None

    def _parse(
        self, pattern: re.Pattern[bytes], data: bytes, start: int, limit: int
    ) -> tuple[list[bytes], int] | None:
        values: list[bytes] = []
        position = start
        while match := pattern.match(data, position, limit):
            quoted = match[1]
            if quoted is None:
                values.append(match[2])
            else:
                quoted = quoted.replace(b'\\"', b'"') if pattern is self._escaped else quoted
                values.append(quoted.replace(b'""', b'"'))
            position = match.end()
            if data[position : position + 1] != self._delimiter or position >= limit:
                if quoted is None:
                    values[-1] = values[-1].removesuffix(b"\r")
                return values, position
            position += 1
            if len(values) > self._num_fields:
                return None
        return None

    def _are_rows(self, lines: Sequence[bytes]) -> bool:
        """Whether all lines, or most of the later ones of many, have the right number of fields by themselves."""
        rows = [line.count(self._delimiter) == self._num_fields - 1 or self.is_row(line) for line in lines]
        return all(rows) or (len(rows) > 3 and 2 * sum(rows[1:]) > len(rows) - 1)

    def _unquoted(self, field: bytes) -> bytes:
        match = self._regular.fullmatch(field)
        return match[1].replace(b'""', b'"') if match and match[1] is not None else field

    def _regular_text(self, values: Sequence[bytes]) -> bytes:
        return self._delimiter.join(_quoted(value, self._delimiter) for value in values) + b"\n"


def _quoted(value: bytes, delimiter: bytes) -> bytes:
    if b'"' in value or b"\n" in value or b"\r" in value or delimiter in value:
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value
