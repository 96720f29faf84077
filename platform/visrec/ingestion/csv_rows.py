"""Reader of delimited text: the mapped columns of whole lines, and what cannot be read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from visrec.config.ingest import Quoting
from visrec.errors import DataError
from visrec.ingestion.quoting import QuoteReader, Record
from visrec.ingestion.raw_rows import RawRows

_NEWLINE, _RETURN = ord("\n"), ord("\r")
_UNUSED = b"\x1f\x1e\x1d\x1c"
"""Control characters of which one stands in for a delimiter of several characters."""


def csv_rows(
    data: bytes,
    fields: Sequence[str],
    columns: Mapping[str, str],
    *,
    delimiter: str = ",",
    quoting: Quoting = "auto",
    num_before: int = 0,
) -> RawRows:
    """Parse whole lines of CSV (RFC 4180, and what else people write; see `visrec.ingestion.quoting`).

    Every line that is not blank is a row, a part of a row whose quoted value holds line breaks, or malformed.

    Args:
        data: The lines.
        fields: Names of all fields of a row, in order.
        columns: Role and field name of the columns to read.
        delimiter: Between fields.
        quoting: `none` where quotes are characters like any other.
        num_before: First lines that hold no rows: blank ones, a hint, the header.

    Example:
        >>> rows = csv_rows(b"1,9\\n2\\n3,7\\n", ["user", "item"], {"user_id": "user"})
        >>> rows.columns["user_id"].to_pylist(), rows.lines.tolist(), rows.malformed
        ([b'1', b'3'], [1, 3], [(2, '2')])
    """
    if len(delimiter.encode()) > 1:
        return _with_long_delimiter(data, fields, columns, delimiter, quoting, num_before)
    ends = _line_ends(data)
    starts = np.r_[0, ends][: len(ends)]
    skip = _blank(data, starts, ends)
    skip[:num_before] = True
    records: list[Record] = []
    if quoting != "none" and b'"' in data:
        reader = QuoteReader(delimiter.encode(), len(fields), trust_quotes=quoting == "multiline")
        unusual = reader.unusual_lines(data, ends)
        records = reader.records(data, starts, ends, unusual[~skip[unusual]].tolist())
    is_row = ~skip
    for record in records:
        is_row[record.line : record.line + record.num_lines] = False
        is_row[record.line] = record.text is not None
    kept = np.flatnonzero(is_row)
    lines = data if len(kept) == len(ends) and not records else _joined(data, starts, ends, skip, records)
    parsed, invalid = _parse(lines, fields, columns, delimiter, quoted=quoting != "none")
    valid = np.delete(np.arange(len(kept)), [row for row, _ in invalid])
    malformed = [(int(kept[row]) + 1, text) for row, text in invalid]
    malformed += [
        (record.line + 1, f"unclosed quote in {_text(data[starts[record.line] : ends[record.line]])}")
        for record in records
        if record.text is None
    ]
    return RawRows(
        columns={role: parsed.column(name).combine_chunks() for role, name in columns.items()},
        lines=kept[valid].astype(np.int64) + 1,
        malformed=sorted(malformed),
        num_lines=len(ends),
    )


def _with_long_delimiter(
    data: bytes,
    fields: Sequence[str],
    columns: Mapping[str, str],
    delimiter: str,
    quoting: Quoting,
    num_before: int,
) -> RawRows:
    """Read with one character in the place of the delimiter, which is put back where a quoted value holds it."""
    unused = next((code for code in _UNUSED if code not in data), None)
    if unused is None:
        raise DataError(
            f"the delimiter {delimiter!r} cannot be read in text with the characters 0x1C to 0x1F"
        )
    single = chr(unused)
    rows = csv_rows(
        data.replace(delimiter.encode(), single.encode()),
        fields,
        columns,
        delimiter=single,
        quoting=quoting,
        num_before=num_before,
    )
    return replace(
        rows,
        columns={
            role: pc.replace_substring(column, pattern=single, replacement=delimiter)
            for role, column in rows.columns.items()
        },
        malformed=[(line, text.replace(single, delimiter)) for line, text in rows.malformed],
    )


def _parse(
    data: bytes, fields: Sequence[str], columns: Mapping[str, str], delimiter: str, *, quoted: bool
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
            delimiter=delimiter,
            quote_char='"' if quoted else False,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=record,
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


def _joined(
    data: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    skip: NDArray[np.bool_],
    records: Sequence[Record],
) -> bytes:
    """The lines that are kept, with the texts of the records in the place of theirs."""
    parts = []
    first = 0
    for record in records:
        parts += [_select(data, starts, ends, skip, first, record.line), record.text or b""]
        first = record.line + record.num_lines
    parts.append(_select(data, starts, ends, skip, first, len(ends)))
    return b"".join(parts)


def _select(
    data: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    skip: NDArray[np.bool_],
    first: int,
    last: int,
) -> bytes:
    """The lines from `first` up to `last` that are not skipped."""
    if first >= last:
        return b""
    inner, begin = skip[first:last], int(starts[first])
    text = data[begin : int(ends[last - 1])]
    if not inner.any():
        return text
    keep = np.zeros(len(text) + 1, np.int8)
    np.add.at(keep, starts[first:last][~inner] - begin, 1)
    np.add.at(keep, ends[first:last][~inner] - begin, -1)
    return np.frombuffer(text, np.uint8)[np.cumsum(keep[:-1]) > 0].tobytes()


def _text(line: str | bytes) -> str:
    text = line.decode("utf-8", errors="replace") if isinstance(line, bytes) else line
    return text.rstrip("\r\n")
