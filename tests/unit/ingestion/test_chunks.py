import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.errors import DataError
from visrec.ingestion.chunks import SourceLines, check_columns, split_into_chunks
from visrec.ingestion.files import list_files
from visrec.ingestion.formats import read_rows
from visrec.ingestion.pieces import read_pieces, with_line_feeds

COLUMNS = {"user_id": "u", "item_id": "i"}
TEXT = b"u,i\n1,a\n2,b\n\n3,c\n44444,dddd\n5,e"


def _write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def _rows(uri: str, *, chunk_bytes: int) -> list[tuple[str, str, str]]:
    """Every row with its location, read chunk by chunk."""
    chunks = split_into_chunks(list_files(uri, "auto", setting="s"), chunk_bytes=chunk_bytes)
    raws = [list(read_rows(chunk, COLUMNS)) for chunk in chunks]
    source_lines = SourceLines.of(chunks, [sum(r.num_lines for r in raw) for raw in raws])
    rows = []
    for number, chunk_pieces in enumerate(raws):
        for raw in chunk_pieces:
            users, items = (raw.columns[role].cast(pa.string()).to_pylist() for role in COLUMNS)
            numbers = pa.array([number] * len(raw.lines), pa.int32()).to_numpy()
            where = [
                location.rsplit("/", 1)[1] for location in source_lines.format(numbers, raw.lines).to_pylist()
            ]
            rows += list(zip(where, users, items, strict=True))
    return rows


@pytest.mark.parametrize("chunk_bytes", [1, 2, 5, 7, 11, 1000])
def test_every_line_is_read_once_whatever_the_chunks(tmp_path: Path, chunk_bytes: int) -> None:
    expected = [
        ("log.csv:2", "1", "a"),
        ("log.csv:3", "2", "b"),
        ("log.csv:5", "3", "c"),
        ("log.csv:6", "44444", "dddd"),
        ("log.csv:7", "5", "e"),
    ]
    assert _rows(_write(tmp_path / "log.csv", TEXT), chunk_bytes=chunk_bytes) == expected


@given(
    lines=st.lists(st.text("ab\r", max_size=6), max_size=12),
    chunk_bytes=st.integers(1, 40),
    end=st.booleans(),
)
def test_chunks_partition_any_text(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], chunk_bytes: int, end: bool
) -> None:
    data = ("head\n" + "\n".join(lines) + ("\n" if end else "")).encode()
    uri = _write(tmp_path_factory.mktemp("chunks") / "log.csv", data)
    chunks = split_into_chunks(list_files(uri, "auto", setting="s"), chunk_bytes=chunk_bytes)
    read_lines = [
        line for chunk in chunks for piece in read_pieces(chunk) for line in piece.splitlines(keepends=True)
    ]
    assert b"".join(read_lines).replace(b"\r\n", b"\n") == with_line_feeds(data).replace(b"\r\n", b"\n")


@pytest.mark.parametrize("piece_bytes", [1, 3, 8, 100])
def test_compressed_files_come_in_pieces_of_whole_lines(tmp_path: Path, piece_bytes: int) -> None:
    uri = _write(tmp_path / "log.csv.gz", gzip.compress(TEXT))
    (chunk,) = split_into_chunks(list_files(uri, "auto", setting="s"), chunk_bytes=1)
    found = list(read_pieces(chunk, piece_bytes=piece_bytes))
    assert b"".join(found) == TEXT
    assert all(piece.endswith(b"\n") for piece in found[:-1])
    assert [location for location, _, _ in _rows(uri, chunk_bytes=1)][-1] == "log.csv.gz:7"


def test_parquet_is_cut_at_row_groups(tmp_path: Path) -> None:
    table = pa.table({"u": pa.array(range(10)), "i": [str(k) for k in range(10)], "other": [0.0] * 10})
    pq.write_table(table, tmp_path / "log.parquet", row_group_size=4)
    uri = str(tmp_path / "log.parquet")
    assert len(split_into_chunks(list_files(uri, "auto", setting="s"), chunk_bytes=1)) == 3
    rows = _rows(uri, chunk_bytes=1)
    assert rows == _rows(uri, chunk_bytes=10**6)
    assert rows[0] == ("log.parquet:1", "0", "0")
    assert rows[9] == ("log.parquet:10", "9", "9")


def test_header_with_mark_tab_and_quotes(tmp_path: Path) -> None:
    uri = _write(tmp_path / "log.tsv", b'\xef\xbb\xbf"u"\t i\n1\ta\n')
    assert _rows(uri, chunk_bytes=100) == [("log.tsv:2", "1", "a")]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "log.csv",
            "u,i\n1,2\n".encode("utf-32"),
            r"expected UTF-8 or UTF-16 text in .*log\.csv, found UTF-32",
        ),
        ("log.csv", b"u,i\n\0\0\0", r"found binary data"),
        ("log.parquet", b"PAR1 not really", r"expected a Parquet file at .*log\.parquet"),
        ("log.csv", b"\x1f\x8b no gzip", r"log\.csv cannot be read"),
    ],
)
def test_files_whose_content_does_not_match_their_name(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    uri = _write(tmp_path / name, data)
    with pytest.raises(DataError, match=message):
        split_into_chunks(list_files(uri, "auto", setting="s"))


def test_damage_within_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    lines = b"".join(b"%d,%d\n" % (k, k * k % 7919) for k in range(300_000))
    uri = _write(tmp_path / "log.csv.gz", gzip.compress(b"u,i\n" + lines, 1)[:-1000])
    (chunk,) = split_into_chunks(list_files(uri, "auto", setting="s"))
    with pytest.raises(DataError, match=r"log\.csv\.gz cannot be read"):
        list(read_rows(chunk, COLUMNS))


def test_an_empty_file_has_no_chunk(tmp_path: Path) -> None:
    assert split_into_chunks(list_files(_write(tmp_path / "log.csv", b""), "auto", setting="s")) == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user_id": "user"}, r"ingest\.x\.user_id: expected a column of log\.csv \(u, i\), got 'user'$"),
        ({"user_id": "uu"}, r"got 'uu'; did you mean 'u'\?"),
    ],
)
def test_columns_that_are_not_there(tmp_path: Path, columns: dict[str, str], message: str) -> None:
    chunks = split_into_chunks(list_files(_write(tmp_path / "log.csv", TEXT), "auto", setting="s"))
    check_columns(chunks, COLUMNS, setting="ingest.x")
    with pytest.raises(DataError, match=message):
        check_columns(chunks, columns, setting="ingest.x")


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    chunks = split_into_chunks(list_files(_write(tmp_path / "log.csv", b"u,i,u\n"), "auto", setting="s"))
    with pytest.raises(DataError, match=r"ingest\.x\.user_id: expected one column 'u', log\.csv has 2"):
        check_columns(chunks, COLUMNS, setting="ingest.x")
