"""One table of rows in all dialects of text: it is read as it is, or refused in one line."""

import bz2
import codecs
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from visrec.config.ingest import InteractionsConfig
from visrec.errors import DataError
from visrec.ingestion.chunks import check_columns, split_into_chunks
from visrec.ingestion.delimiters import find_delimiter
from visrec.ingestion.files import list_files
from visrec.ingestion.formats import read_rows
from visrec.ingestion.text_dialect import TextSettings

COLUMNS = {"user_id": "u", "item_id": "i", "time": "t"}
ROWS = [("1", "a", "2023-01-02"), ("2", "b", "2023-01-03"), ("3", "é", "2023-01-04")]
PLAIN = "u,i,t\n" + "".join(",".join(row) + "\n" for row in ROWS)
Place = tuple[int, tuple[str, ...]]


def read(path: Path, *, chunk_bytes: int = 1 << 20, **settings: object) -> list[Place]:
    """Line and values of every row."""
    text = TextSettings(**settings)  # type: ignore[arg-type]
    chunks = split_into_chunks(
        list_files(str(path), "auto", setting="s"), chunk_bytes=chunk_bytes, settings=text
    )
    check_columns(chunks, COLUMNS, setting="ingest.interactions.columns")
    rows: list[Place] = []
    before = 0
    for chunk in chunks:
        num_lines = 0
        for raw in read_rows(chunk, COLUMNS):
            assert raw.malformed == []
            num_lines += raw.num_lines
            values = [raw.columns[role].cast(pa.string()).to_pylist() for role in COLUMNS]
            rows += zip((raw.lines + before).tolist(), zip(*values, strict=True), strict=True)
        before += num_lines
    return rows


def _zip(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._log.csv", b"junk")
        archive.writestr("export/log.csv", data)
    return buffer.getvalue()


def _zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


def _mac(text: str) -> bytes:
    return text.replace("\n", "\r").encode()


def _mixed(text: str) -> bytes:
    first, second, *others = text.split("\n")
    return f"{first}\r\n{second}\r{chr(10).join(others)}".encode()


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "gzip": lambda text: gzip.compress(text.encode()),
    "two members of gzip": lambda text: gzip.compress(text[:9].encode()) + gzip.compress(text[9:].encode()),
    "bz2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "zstd": lambda text: _zstd(text.encode()),
    "zip": lambda text: _zip(text.encode()),
    "byte-order mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "byte-order mark in gzip": lambda text: gzip.compress(codecs.BOM_UTF8 + text.encode()),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-16-be with mark": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16 in gzip": lambda text: gzip.compress(text.encode("utf-16")),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "utf-16 windows": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "old mac": _mac,
    "old mac in gzip": lambda text: gzip.compress(_mac(text)),
    "mixed line ends": _mixed,
    "no last line end": lambda text: text.removesuffix("\n").encode(),
}


@pytest.mark.parametrize("chunk_bytes", [5, 1 << 20])
@pytest.mark.parametrize("name", ENCODINGS)
def test_encodings_and_line_ends_of_csv(tmp_path: Path, name: str, chunk_bytes: int) -> None:
    (tmp_path / "log.csv").write_bytes(ENCODINGS[name](PLAIN))
    expected = list(zip([2, 3, 4], ROWS, strict=True))
    assert read(tmp_path / "log.csv", chunk_bytes=chunk_bytes) == expected


@pytest.mark.parametrize("name", ENCODINGS)
def test_encodings_and_line_ends_of_json(tmp_path: Path, name: str) -> None:
    rows = [dict(zip("uit", row, strict=True)) for row in ROWS]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    expected = list(zip([1, 2, 3], ROWS, strict=True))
    (tmp_path / "log.json").write_bytes(ENCODINGS[name]("\n".join(lines) + "\n"))
    assert read(tmp_path / "log.json") == expected
    (tmp_path / "log.json").write_bytes(ENCODINGS[name]("[" + ",\n".join(lines) + "]\n"))
    assert read(tmp_path / "log.json") == expected


def test_a_name_that_says_compressed_of_a_file_that_is_not(tmp_path: Path) -> None:
    (tmp_path / "log.csv.gz").write_text(PLAIN)
    assert [row for _, row in read(tmp_path / "log.csv.gz")] == ROWS


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "::", "||", "|~|", "\x01", " ", "¦", "\t\t"])
@pytest.mark.parametrize("told", [True, False])
def test_delimiters(tmp_path: Path, delimiter: str, told: bool) -> None:
    if not told and delimiter in ("\x01", " ", "¦", "\t\t"):
        pytest.skip("by the setting only")
    (tmp_path / "log.csv").write_text(PLAIN.replace(",", delimiter))
    found = read(tmp_path / "log.csv", delimiter=delimiter if told else None)
    assert [row for _, row in found] == ROWS


@pytest.mark.parametrize(
    ("text", "first_line"),
    [
        ("sep=;\n" + PLAIN.replace(",", ";"), 3),
        ('"sep=,"\r\n' + PLAIN, 3),
        ("\ufeffSEP=\t\n\n" + PLAIN.replace(",", "\t"), 4),
        ("\n  \n" + PLAIN, 4),
        (PLAIN.replace("t\n2", "t\n\n2", 1), 2),
        (PLAIN.replace("u,i", '"u\n(user)",i', 1).replace("u\n(user)", "u"), 2),
        ('"a\nnote",' + PLAIN.replace("\n1,", "\n,1,").replace("\n2,", "\n,2,").replace("\n3,", "\n,3,"), 3),
        (PLAIN.replace("-02\n", "-02,\n").replace("-03\n", "-03,\n").replace("-04\n", "-04,\n"), 2),
    ],
)
def test_what_stands_before_the_rows_and_behind_them(tmp_path: Path, text: str, first_line: int) -> None:
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    found = read(tmp_path / "log.csv")
    assert [row for _, row in found] == ROWS
    assert found[0][0] == first_line


@pytest.mark.parametrize("delimiter", [",", "::"])
def test_files_without_a_header(tmp_path: Path, delimiter: str) -> None:
    body = PLAIN.split("\n", 1)[1].replace(",", delimiter)
    (tmp_path / "log.csv").write_text(body)
    assert read(tmp_path / "log.csv", column_names=("u", "i", "t")) == list(zip([1, 2, 3], ROWS, strict=True))
    with pytest.raises(
        DataError,
        match=r"^ingest\.interactions\.column_names: expected a header in log\.csv, its first line "
        r"\(1, a, 2023-01-02\) looks like data; name its 3 columns in their order, such as "
        r"\[column_1, column_2, column_3\]",
    ):
        read(tmp_path / "log.csv")
    message = (
        r"^ingest\.interactions\.column_names: expected a name for each of the 3 fields of log\.csv .* got 2"
    )
    with pytest.raises(DataError, match=message):
        read(tmp_path / "log.csv", column_names=("u", "i"), delimiter=delimiter)


def test_columns_that_are_mapped_to_the_values_of_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(PLAIN.split("\n", 1)[1])
    chunks = split_into_chunks(list_files(str(tmp_path), "auto", setting="s"))
    columns = {"user_id": "1", "item_id": "a", "time": "2023-01-02"}
    with pytest.raises(DataError, match="looks like data"):
        check_columns(chunks, columns, setting="ingest.interactions.columns")


def test_numbered_columns_are_a_header(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(",0,1,2\n0,7,8,9\n1,7,9,10\n")
    chunks = split_into_chunks(list_files(str(tmp_path), "auto", setting="s"))
    columns = {"user_id": "0", "item_id": "1", "time": "2"}
    check_columns(chunks, columns, setting="ingest.interactions.columns")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("log.csv", PLAIN.encode("utf-32"), r"log\.csv, found UTF-32; convert it"),
        ("log.csv", PLAIN.encode("utf-32-le"), r"log\.csv, found UTF-32; convert it"),
        ("log.csv", bytes(range(256)) * 20, r"log\.csv, found binary data"),
        (
            "log.csv",
            gzip.compress(gzip.compress(PLAIN.encode(), mtime=0), mtime=0),
            r"log\.csv, found gzip within gzip; unpack it",
        ),
        (
            "log.csv",
            PLAIN.replace(",", " ").encode(),
            r"no delimiter was .*, tell it in ingest\.interactions\.delimiter",
        ),
        ("log.csv", PLAIN.encode("cp500"), r"its first line is no UTF-8: convert it"),
        (
            "log.csv",
            b'{"u": 1}\n',
            r"expected CSV in .*, found JSON; say so with ingest\.interactions\.format: jsonl",
        ),
        ("log.json", PLAIN.encode(), r"expected JSON in .*log\.json, found 'u,i,t"),
        (
            "log.json",
            b'{"u": [1, 2], "i": ["a", "b"], "t": [5, 6]}',
            r"log\.json: .* one object that holds whole columns",
        ),
        ("log.json", b"[[1, 2], [3, 4]]", r"log\.json, found an array of other values \('\[\[1, 2\]"),
        ("log.json", b'{"data": [{"u": 1}]}', r"holds 1 rows under 'data'; .* jq -c '\.data\[\]'"),
        ("log.json", b'{\n "n": 1,\n "data": [\n  {"u": 1}\n ]\n}\n', r"holds 1 rows under 'data'"),
    ],
)
def test_what_is_refused_says_why(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_a_header_with_an_unclosed_quote_takes_no_row_with_it(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        PLAIN.replace("u,i,t\n", 'u,i,t,"note\n').replace("-02\n", '-02,x"\n', 1)
    )
    chunks = split_into_chunks(list_files(str(tmp_path), "auto", setting="s"))
    raws = [raw for chunk in chunks for raw in read_rows(chunk, COLUMNS)]
    assert [raw.lines.tolist() for raw in raws] == [[2]]
    assert [line for raw in raws for line, _ in raw.malformed] == [3, 4]


def test_parquet_by_another_name(tmp_path: Path) -> None:
    pq.write_table(pa.table({"u": ["1"], "i": ["a"], "t": ["5"]}), tmp_path / "log.csv")
    assert read(tmp_path / "log.csv") == [(1, ("1", "a", "5"))]


def test_a_zero_byte_in_a_value_is_no_binary_file(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("u,i,t\n1,a\0b,5\n")
    assert read(tmp_path / "log.csv") == [(2, ("1", "a\0b", "5"))]


def test_archives_of_several_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "log.csv.zip", "w") as archive:
        archive.writestr("readme.md", "text")
        archive.writestr("log.csv", PLAIN)
    assert [row for _, row in read(tmp_path / "log.csv.zip")] == ROWS
    with zipfile.ZipFile(tmp_path / "log.csv.zip", "a") as archive:
        archive.writestr("more.csv", PLAIN)
    with pytest.raises(DataError, match=r"one file of rows in the zip archive .*, found log\.csv, more\.csv"):
        read(tmp_path / "log.csv.zip")


@pytest.mark.parametrize("name", ["gzip", "bz2", "xz", "zstd", "zip"])
def test_compression_that_is_cut_off(tmp_path: Path, name: str) -> None:
    lines = "".join(f"{k},{k * k % 7919},{k}\n" for k in range(20_000))
    data = ENCODINGS[name]("u,i,t\n" + lines)
    (tmp_path / "log.csv").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"log\.csv cannot be read"):
        read(tmp_path / "log.csv")


def test_delimiters_that_cannot_be_typed() -> None:
    settings = TextSettings.of(InteractionsConfig(delimiter=r"\x01"), "ingest.interactions")
    assert settings.delimiter == "\x01"
    with pytest.raises(ValueError, match="delimiter"):
        InteractionsConfig(delimiter='"')


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_an_encoding_by_its_name(tmp_path: Path, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    (tmp_path / "log.csv").write_bytes(compress(PLAIN.replace("\n", "\r\n").encode(encoding)))
    settings = TextSettings.of(InteractionsConfig(encoding=encoding), "ingest.interactions")
    rows = read(tmp_path / "log.csv", chunk_bytes=16, encoding=settings.encoding)
    assert [values for _, values in rows] == ROWS


@pytest.mark.parametrize("name", ["cp125", "rot13", "base64"])
def test_an_encoding_that_is_none(name: str) -> None:
    with pytest.raises(
        ValueError, match=f"expected an encoding that Python knows, such as cp1252, got '{name}'"
    ):
        InteractionsConfig(encoding=name)


@pytest.mark.parametrize("end", ["", ";"])
def test_commas_of_json_lists_are_not_between_cells(end: str) -> None:
    lines = [f'{k};fine;["A", "B c", "A"];0.01{end}' for k in range(2)]
    assert find_delimiter(lines, 4) == find_delimiter(lines) == ";"


@pytest.mark.parametrize(
    "line",
    ["A,,;fine;1420070400;A,,;view", 'A,,;"a, b";1420070400;A,,;view', "A,B,C;fine;1420070400;A,B,C;view"],
)
def test_of_two_delimiters_with_as_many_fields_it_is_the_one_between_numbers_and_words(line: str) -> None:
    assert find_delimiter([line], 5) == ";"
