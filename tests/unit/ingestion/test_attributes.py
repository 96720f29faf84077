import pyarrow as pa

from visrec.data.schemas import ATTRIBUTES_SCHEMA
from visrec.ingestion.attributes import parse_attributes


def test_text_of_a_csv_file() -> None:
    columns = {
        "title": pa.array([b" Red shoe ", b"", b"\xff"]),
        "categories": pa.array([b"shoes| red ||", b"", b"hats"]),
        "price": pa.array([b"12.50", b"", b"n/a"]),
        "created_at": pa.array([b"2023-11-14T22:13:20Z", b"", b"never"]),
        "available": pa.array([b"No", b"", b"\xff"]),
    }
    table, unreadable = parse_attributes(columns, 3, separator="|")
    assert table.schema == ATTRIBUTES_SCHEMA
    assert unreadable.total == 4
    assert str(unreadable) == (
        "title 1 (e.g. '\\\\xff'); price 1 (e.g. 'n/a'); created_at 1 (e.g. 'never'); available 1 (e.g. '\\\\xff')"
    )
    assert table.to_pylist() == [
        {
            "title": "Red shoe",
            "categories": ["shoes", "red"],
            "price": 12.5,
            "created_at": 1_700_000_000_000,
            "available": False,
        },
        {"title": None, "categories": [], "price": None, "created_at": None, "available": True},
        {"title": None, "categories": ["hats"], "price": None, "created_at": None, "available": True},
    ]


def test_types_of_parquet_and_lists_of_json() -> None:
    columns = {
        "categories": pa.array([["a", None, "b"], None]),
        "price": pa.array([3, None]),
        "created_at": pa.array([1_700_000_000, None]),
        "available": pa.array([False, None]),
    }
    table, unreadable = parse_attributes(columns, 2, separator="|")
    assert unreadable.total == 0
    assert table.column("categories").to_pylist() == [["a", "b"], []]
    assert table.column("price").to_pylist() == [3.0, None]
    assert table.column("created_at").to_pylist() == [1_700_000_000_000, None]
    assert table.column("available").to_pylist() == [False, True]
    lists, _ = parse_attributes({"categories": pa.array(['["x|y", null, 2]', "[odd"])}, 2, separator="|")
    assert lists.column("categories").to_pylist() == [["x|y", "2"], ["[odd"]]


def test_nothing_is_known() -> None:
    table, unreadable = parse_attributes({}, 1, separator="|")
    assert unreadable.total == 0
    assert table.to_pylist() == [
        {"title": None, "categories": [], "price": None, "created_at": None, "available": True}
    ]


def test_a_title_that_is_no_text() -> None:
    titles = pa.array(['["one"]', '["a", "b"]', '{"en": "a"}', "[NEW] a", "[]", "[1]"])
    table, unreadable = parse_attributes({"title": titles}, 6, separator="|")
    assert table.column("title").to_pylist() == ["one", None, None, "[NEW] a", None, None]
    assert str(unreadable) == """title 3 (e.g. '["a", "b"]')"""


def test_columns_of_nulls_are_empty() -> None:
    columns = {role: pa.nulls(1) for role in ATTRIBUTES_SCHEMA.names}
    table, unreadable = parse_attributes(columns, 1, separator="|")
    assert unreadable.total == 0
    assert table.to_pylist() == [
        {"title": None, "categories": [], "price": None, "created_at": None, "available": True}
    ]


def test_numbers_that_are_no_time_since_1970_are_no_creation_time() -> None:
    column = pa.array(["1987", "20230101", "20230101222245", "1700000000", "1503-01-01"])
    table, num_unreadable = parse_attributes({"created_at": column}, 5, separator="|")
    assert table.column("created_at").to_pylist() == [
        None,
        None,
        None,
        1_700_000_000_000,
        -14_737_161_600_000,
    ]
    assert num_unreadable.total == 3
