"""Rows of CSV text. No line can take others with it: a bad one is recorded, and the next is read."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from visrec.data.reading.raw import RawRows

_QUOTE, _NEWLINE, _RETURN = ord('"'), ord("\n"), ord("\r")


def csv_rows(
    data: bytes,
    fields: Sequence[str],
    columns: Mapping[str, str],
    *,
    delimiter: str = ",",
    header: bool = False,
    multiline: bool = False,
) -> RawRows:
    """Parse whole lines of CSV (RFC 4180).

    Args:
        data: The lines.
        fields: Names of all fields of a row, in order.
        columns: Role and field name of the wanted columns.
        delimiter: Between fields.
        header: The first line is the header.
        multiline: Quoted values may hold line breaks. Without it a lone quote harms its own line only; with it, all
            lines up to the next quote.

    Example:
        >>> rows = csv_rows(b"1,9\\n2\\n3,7\\n", ["user", "item"], {"user_id": "user"})
        >>> rows.columns["user_id"].to_pylist(), rows.lines.tolist(), rows.malformed
        ([b'1', b'3'], [1, 3], [(2, '2')])
    """
    ends = _line_ends(data)
    starts = np.r_[0, ends][: len(ends)]
    skip = _blank(data, starts, ends)
    if header:
        skip[:1] = True
    lone = np.zeros(len(ends), bool) if multiline else _lone_quotes(data, ends) & ~skip
    malformed = [(int(k) + 1, _text(data[starts[k] : ends[k]])) for k in np.flatnonzero(lone)]
    kept = np.flatnonzero(~(skip | lone))
    parsed, invalid = _parse(_select(data, starts, ends, kept), fields, columns, delimiter)
    good = np.setdiff1d(np.arange(len(kept)), [place for place, _ in invalid])[: parsed.num_rows]
    malformed += [(int(kept[place]) + 1, text) for place, text in invalid]
    # With line breaks inside of values, rows are fewer than lines, and a row's place among them is only about its line.
    return RawRows(
        {role: parsed.column(name).combine_chunks() for role, name in columns.items()},
        kept[good].astype(np.int64) + 1,
        sorted(malformed),
        len(ends),
    )


def _parse(
    data: bytes, fields: Sequence[str], columns: Mapping[str, str], delimiter: str
) -> tuple[pa.Table, list[tuple[int, str]]]:
    invalid: list[tuple[int, str]] = []

    def record(row: pacsv.InvalidRow) -> str:
        invalid.append((int(row.number) - 1, _text(row.text)))
        return "skip"

    wanted = list(dict.fromkeys(columns.values()))
    if not data:
        return pa.table({name: pa.array([], pa.binary()) for name in wanted}), invalid
    table = pacsv.read_csv(
        pa.BufferReader(data),
        read_options=pacsv.ReadOptions(
            use_threads=False, column_names=list(fields), block_size=len(data) + 1
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=record
        ),
        # Bytes, so that one row that is not UTF-8 does not take the others with it.
        convert_options=pacsv.ConvertOptions(
            include_columns=wanted, column_types=dict.fromkeys(wanted, pa.binary()), check_utf8=False
        ),
    )
    return table, invalid


def _line_ends(data: bytes) -> NDArray[np.int64]:
    """Place after each line."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
    return ends if not data or data.endswith(b"\n") else np.r_[ends, len(data)]


def _blank(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each line holds nothing but its line end."""
    codes = np.frombuffer(data, np.uint8)
    size = ends - starts - (codes[ends - 1] == _NEWLINE)
    blank: NDArray[np.bool_] = (size == 0) | ((size == 1) & (codes[starts] == _RETURN))
    return blank


def _lone_quotes(data: bytes, ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each line holds an odd number of quotes."""
    quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)
    lines = np.searchsorted(ends, quotes, side="right")
    odd: NDArray[np.bool_] = np.bincount(lines, minlength=len(ends)) % 2 == 1
    return odd


def _select(
    data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], kept: NDArray[np.int64]
) -> bytes:
    if len(kept) == len(ends):
        return data
    keep = np.zeros(len(data) + 1, np.int8)
    np.add.at(keep, starts[kept], 1)
    np.add.at(keep, ends[kept], -1)
    return np.frombuffer(data, np.uint8)[np.cumsum(keep[:-1]) > 0].tobytes()


def _text(line: str | bytes) -> str:
    text = line.decode("utf-8", errors="replace") if isinstance(line, bytes) else line
    return text.rstrip("\r\n")
