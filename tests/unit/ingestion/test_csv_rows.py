import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from visrec.ingestion.formats import csv_rows

FIELDS = ("user", "item", "time")
COLUMNS = {"user_id": "user", "time": "time"}


def test_a_bad_line_takes_no_other_with_it() -> None:
    data = b'1,a,5\r\n2,b\n\n\r\n3,"c,c",7\n4,"d\n\xff,e,9\n5,f,10,more\n6,g,11'
    rows = csv_rows(data, FIELDS, COLUMNS)
    assert rows.columns["user_id"].to_pylist() == [b"1", b"3", b"\xff", b"6"]
    assert rows.columns["time"].to_pylist() == [b"5", b"7", b"9", b"11"]
    assert rows.lines.tolist() == [1, 5, 7, 9]
    assert rows.malformed == [(2, "2,b"), (6, 'unclosed quote in 4,"d'), (8, "5,f,10,more")]
    assert rows.num_lines == 9


def test_header_and_nothing_else() -> None:
    for data in (b"", b"\n", b"user,item,time\n"):
        rows = csv_rows(data, FIELDS, COLUMNS, num_before=int(data.startswith(b"user")))
        assert rows.columns["user_id"].to_pylist() == []
        assert rows.malformed == []
        assert rows.num_lines == data.count(b"\n")


def test_line_breaks_in_quotes() -> None:
    rows = csv_rows(b'1,"a\nb",5\n2,c,6\n', FIELDS, {"item_id": "item"})
    assert rows.columns["item_id"].to_pylist() == [b"a\nb", b"c"]
    assert rows.lines.tolist() == [1, 3]


def test_one_column_for_two_roles() -> None:
    rows = csv_rows(b"1,2,3\n", FIELDS, {"time": "time", "event_id": "time"})
    assert rows.columns["event_id"].to_pylist() == rows.columns["time"].to_pylist() == [b"3"]


@given(st.lists(st.lists(st.text('ab,"é ', max_size=4), min_size=3, max_size=3), max_size=8))
def test_agrees_with_the_standard_library(table: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    rows = csv_rows(buffer.getvalue().encode(), FIELDS, {name: name for name in FIELDS})
    columns = [[value.decode() for value in rows.columns[name].to_pylist()] for name in FIELDS]
    assert [list(row) for row in zip(*columns, strict=True)] == table
    assert rows.malformed == []
