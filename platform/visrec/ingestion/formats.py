"""Readers of CSV, JSONL and Parquet: the mapped columns of a chunk, unvalidated, with the line of each row."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.errors import DataError
from visrec.ingestion.chunks import PIECE_BYTES, Chunk, read_pieces

_QUOTE, _NEWLINE, _RETURN = ord('"'), ord("\n"), ord("\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRows:
    """Rows of one piece of a chunk.

    Attributes:
        columns: By role (`user_id`, `time`, ...) a pyarrow array: binary from CSV, string from JSONL (numbers as their
            text), the file's own type from Parquet.
        lines: int64 [N]: line (Parquet: row) of each row, counted from 1 at the chunk's beginning.
        malformed: Line and text of what cannot be parsed: another number of fields, an unclosed quote, no JSON object.
        num_lines: Lines of the piece, rows or not.
    """

    columns: dict[str, Any]
    lines: NDArray[np.int64]
    malformed: list[tuple[int, str]]
    num_lines: int

    def after(self, num_lines: int) -> "RawRows":
        """The same rows with `num_lines` lines of the chunk before them."""
        malformed = [(line + num_lines, row) for line, row in self.malformed]
        return replace(self, lines=self.lines + num_lines, malformed=malformed)


def read_rows(chunk: Chunk, columns: Mapping[str, str], *, whole: bool = False) -> Iterator[RawRows]:
    """Read the mapped columns of a chunk, in one piece or, of a large compressed file, in several.

    Args:
        chunk: What to read.
        columns: Role and column name.
        whole: All rows in one piece, and quoted CSV values may hold line breaks.

    Raises:
        DataError: The file is damaged or cannot be read; names it.
    """
    try:
        if chunk.file.format == "parquet":
            yield parquet_rows(chunk, columns)
            return
        lines_before = 0
        for data in read_pieces(chunk, piece_bytes=None if whole else PIECE_BYTES):
            if chunk.file.format == "jsonl":
                raw = jsonl_rows(data, columns)
            else:
                header = chunk.start == 0 and lines_before == 0
                raw = csv_rows(
                    data, chunk.fields, columns, delimiter=chunk.delimiter, header=header, multiline=whole
                )
            yield raw.after(lines_before)
            lines_before += raw.num_lines
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{chunk.file.location} cannot be read: {error}") from None


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
        columns: Role and field name of the columns to read.
        delimiter: Between fields.
        header: The first line is the header.
        multiline: Quoted values may hold line breaks. Without it an unclosed quote spoils its own line only; with it,
            all lines up to the next quote.

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
    unclosed = np.zeros(len(ends), bool) if multiline else _unclosed_quotes(data, ends) & ~skip
    malformed = [(int(k) + 1, _text(data[starts[k] : ends[k]])) for k in np.flatnonzero(unclosed)]
    kept = np.flatnonzero(~(skip | unclosed))
    parsed, invalid = _parse(_select(data, starts, ends, kept), fields, columns, delimiter)
    valid = np.setdiff1d(np.arange(len(kept)), [row for row, _ in invalid])[: parsed.num_rows]
    malformed += [(int(kept[row]) + 1, text) for row, text in invalid]
    # With line breaks inside values there are fewer rows than lines, and a row's line is only approximate.
    return RawRows(
        columns={role: parsed.column(name).combine_chunks() for role, name in columns.items()},
        lines=kept[valid].astype(np.int64) + 1,
        malformed=sorted(malformed),
        num_lines=len(ends),
    )


def jsonl_rows(data: bytes, columns: Mapping[str, str]) -> RawRows:
    """Parse whole lines of JSON objects. A missing key is a missing value; lists are kept as JSON text.

    Args:
        data: The lines.
        columns: Role and key of the columns to read.

    Example:
        >>> rows = jsonl_rows(b'{"u": 7}\\n[]\\n', {"user_id": "u"})
        >>> rows.columns["user_id"].to_pylist(), rows.malformed
        (['7'], [(2, '[]')])
    """
    values: dict[str, list[str | None]] = {role: [] for role in columns}
    lines: list[int] = []
    malformed: list[tuple[int, str]] = []
    split = data.split(b"\n")
    for number, line in enumerate(split, start=1):
        if not line.strip():
            continue
        row = _object(line)
        if row is None:
            malformed.append((number, line.decode("utf-8", errors="replace").rstrip("\r")))
            continue
        lines.append(number)
        for role, key in columns.items():
            values[role].append(_as_text(row.get(key)))
    arrays = {role: pa.array(column, pa.string()) for role, column in values.items()}
    return RawRows(
        columns=arrays,
        lines=np.array(lines, np.int64),
        malformed=malformed,
        num_lines=len(split) - (not split[-1]),
    )


def parquet_rows(chunk: Chunk, columns: Mapping[str, str]) -> RawRows:
    """Read the mapped columns of the chunk's row groups.

    Raises:
        OSError: The file cannot be read.
        pyarrow.ArrowException: Its content is damaged.
    """
    location = chunk.file.location
    with location.filesystem.open_input_file(location.path) as stream:
        file = pq.ParquetFile(stream)
        table = file.read_row_groups(
            list(range(chunk.start, chunk.end)), columns=list(dict.fromkeys(columns.values()))
        )
    arrays = {role: _plain(table.column(name).combine_chunks()) for role, name in columns.items()}
    return RawRows(
        columns=arrays, lines=np.arange(1, table.num_rows + 1), malformed=[], num_lines=table.num_rows
    )


def _parse(
    data: bytes, fields: Sequence[str], columns: Mapping[str, str], delimiter: str
) -> tuple[pa.Table, list[tuple[int, str]]]:
    invalid: list[tuple[int, str]] = []

    def record(row: pacsv.InvalidRow) -> str:
        invalid.append((int(row.number) - 1, _text(row.text)))
        return "skip"

    names = list(dict.fromkeys(columns.values()))
    if not data:
        return pa.table({name: pa.array([], pa.binary()) for name in names}), invalid
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
            include_columns=names, column_types=dict.fromkeys(names, pa.binary()), check_utf8=False
        ),
    )
    return table, invalid


def _line_ends(data: bytes) -> NDArray[np.int64]:
    """Position after each line."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
    return ends if not data or data.endswith(b"\n") else np.r_[ends, len(data)]


def _blank(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each line holds nothing but its line end."""
    codes = np.frombuffer(data, np.uint8)
    size = ends - starts - (codes[ends - 1] == _NEWLINE)
    blank: NDArray[np.bool_] = (size == 0) | ((size == 1) & (codes[starts] == _RETURN))
    return blank


def _unclosed_quotes(data: bytes, ends: NDArray[np.int64]) -> NDArray[np.bool_]:
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


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None or _encodable(value) else json.dumps(value)
    return json.dumps(value)


def _encodable(text: str) -> bool:
    """Whether the text is Unicode; JSON can also spell half of a surrogate pair."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _plain(array: pa.Array) -> pa.Array:
    """The same values without dictionary encoding, views and 64-bit offsets, which some compute functions lack."""
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type):
        return array.cast(pa.binary())
    return array
