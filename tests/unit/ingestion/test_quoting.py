"""Quotes: values with line breaks, quotes that mean nothing, and no line that vanishes."""

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visrec.ingestion.chunks import split_into_chunks
from visrec.ingestion.csv_rows import csv_rows
from visrec.ingestion.files import list_files
from visrec.ingestion.formats import RawRows, read_rows
from visrec.ingestion.pieces import read_pieces

FIELDS = ("id", "title", "price")
COLUMNS = {name: name for name in FIELDS}
Row = tuple[str, ...]


def _rows(raw: RawRows) -> list[Row]:
    columns = [raw.columns[name].cast(pa.string()).to_pylist() for name in FIELDS]
    return list(zip(*columns, strict=True))


def _read(text: str, delimiter: str = ",", quoting: str = "auto") -> tuple[list[Row], list[int], list[int]]:
    """Rows, their lines, and the lines that are malformed."""
    raw = csv_rows(text.encode(), FIELDS, COLUMNS, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    return _rows(raw), raw.lines.tolist(), [line for line, _ in raw.malformed]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "::"])
@pytest.mark.parametrize(
    ("written", "title"),
    [
        ('"Paris"', "Paris"),
        ('"Paris", a view', None),
        ('"Paris: a view', '"Paris: a view'),
        ('Oslo "North"', 'Oslo "North"'),
        ('"Great Walls" of Brick', '"Great Walls" of Brick'),
        ('Frame 14" x 18"', 'Frame 14" x 18"'),
        ('"Frame 14"" x 18"""', 'Frame 14" x 18"'),
        (r'"He said \"hi\" twice"', 'He said "hi" twice'),
        (r'"C:\dir\"', "C:\\dir\\"),
        ('""', ""),
        ('"', '"'),
        ('"first\nsecond"', "first\nsecond"),
        ('"first\n\n"third, ""x"""', None),
        ('"first\n\nthird, ""x"""', 'first\n\nthird, "x"'),
        (' "spaced" ', "spaced"),
        ("5' 6\"", "5' 6\""),
    ],
)
def test_titles_with_quotes_between_rows_without(delimiter: str, written: str, title: str | None) -> None:
    rows = [("1", "plain", "5"), ("2", written, "6"), ("3", 'x "y"', "7"), ("4", "last", "8")]
    text = "".join(delimiter.join(row) + "\n" for row in rows)
    found, lines, malformed = _read(text, delimiter)
    if title is None and (delimiter == "," or "\n" in written):
        assert [row[0] for row in found][-2:] == ["3", "4"]
        assert 2 in malformed
        return
    assert found == [rows[0], ("2", written if title is None else title, "6"), *rows[2:]]
    after = 3 + written.count("\n")
    assert (lines, malformed) == ([1, 2, after, after + 1], [])


def test_lines_that_are_all_rows_are_the_rows() -> None:
    text = '1,"Paris,5\n2,b,6\n3,Oslo",7\n'
    rows = [("1", '"Paris', "5"), ("2", "b", "6"), ("3", 'Oslo"', "7")]
    assert _read(text) == (rows, [1, 2, 3], [])
    assert _read(text, quoting="multiline") == ([("1", "Paris,5\n2,b,6\n3,Oslo", "7")], [1], [])
    assert _read(text, quoting="none") == (rows, [1, 2, 3], [])


def test_a_lost_line_among_many_rows_does_not_join_them() -> None:
    rows = [(str(k), "t", "5") for k in range(20)]
    lines = [",".join(row) for row in rows]
    lines[3], lines[9], lines[15] = '3,"Paris,5', "too short", '15,Oslo",5'
    found, _, malformed = _read("\n".join(lines) + "\n")
    assert malformed == [10]
    assert [row[0] for row in found] == [str(k) for k in range(20) if k != 9]


def test_quotes_are_characters_where_the_setting_says_so() -> None:
    assert _read('1,"a",5\n2,"b,6\n', quoting="none")[0] == [("1", '"a"', "5"), ("2", '"b', "6")]


def test_an_unclosed_quote_is_named() -> None:
    raw = csv_rows(b'1,a,5\n2,"b\n3,c,7\n', FIELDS, COLUMNS)
    assert raw.malformed == [(2, 'unclosed quote in 2,"b')]
    assert raw.lines.tolist() == [1, 3]


@settings(max_examples=300)
@given(
    text=st.lists(st.text('a",\n\r\\ "', max_size=14), max_size=8).map("\n".join),
    quoting=st.sampled_from(["auto", "none"]),
)
def test_every_line_is_a_row_or_part_of_one_or_malformed(text: str, quoting: str) -> None:
    data = text.replace("\r", "\r\n").encode()
    raw = csv_rows(data, FIELDS, COLUMNS, quoting=quoting)  # type: ignore[arg-type]
    lines = data.split(b"\n")
    inside = sum(
        value.count(b"\n") for name in FIELDS for value in raw.columns[name].to_pylist() if value is not None
    )
    blank = sum(line in (b"", b"\r") for line in lines)
    in_rows = len(raw.lines) + inside
    assert all(len(raw.columns[name]) == len(raw.lines) for name in FIELDS)
    assert len(set(raw.lines.tolist()) | {line for line, _ in raw.malformed}) == len(raw.lines) + len(
        raw.malformed
    )
    # Blank lines may also lie within a value.
    assert len(lines) - blank <= in_rows + len(raw.malformed) <= len(lines)


@settings(max_examples=200)
@given(
    table=st.lists(st.tuples(*[st.text('ab",\né \\', max_size=5)] * 3), max_size=8),
    always=st.booleans(),
    chunk_bytes=st.integers(1, 60),
)
def test_what_the_standard_library_writes_is_read_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, table: list[Row], always: bool, chunk_bytes: int
) -> None:
    """Values with line breaks hold no delimiter here, so that no part of one is a row by itself."""
    table = [
        (str(number), *(v.replace(",", ";") if "\n" in v else v for v in row[1:]))
        for number, row in enumerate(table)
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL)
    writer.writerows([FIELDS, *table])
    path = tmp_path_factory.mktemp("quoting") / "log.csv"
    path.write_bytes(buffer.getvalue().encode())
    for size in (chunk_bytes, 1 << 20):
        raws = [raw for chunk in _chunks(path, size) for raw in read_rows(chunk, COLUMNS)]
        assert [row for raw in raws for row in _rows(raw)] == table
        assert [raw.malformed for raw in raws if raw.malformed] == []


def _chunks(path: Path, chunk_bytes: int) -> list:  # type: ignore[type-arg]
    return split_into_chunks(list_files(str(path), "auto", setting="s"), chunk_bytes=chunk_bytes)


@pytest.mark.parametrize("chunk_bytes", [7, 64, 500, 1 << 20])
def test_chunks_do_not_cut_values_with_line_breaks(tmp_path: Path, chunk_bytes: int) -> None:
    rows = [(f"{k}", f"note {k}\n\nsecond, {k}\nend" if k % 3 == 0 else "x", "5") for k in range(60)]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([FIELDS, *rows])
    data = buffer.getvalue().encode()
    (tmp_path / "log.csv").write_bytes(data)
    raws = [raw for c in _chunks(tmp_path / "log.csv", chunk_bytes) for raw in read_rows(c, COLUMNS)]
    assert [row for raw in raws for row in _rows(raw)] == rows
    assert sum(raw.num_lines for raw in raws) == data.count(b"\n")
    (tmp_path / "log.csv").write_bytes(gzip.compress(data))
    (chunk,) = _chunks(tmp_path / "log.csv", chunk_bytes)
    pieces = list(read_pieces(chunk, piece_bytes=chunk_bytes))
    assert b"".join(pieces) == data
    read = [row for piece in pieces for row in _rows(csv_rows(piece, FIELDS, COLUMNS))]
    assert read[1:] == rows
