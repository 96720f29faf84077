"""Categories of an item: a set in the order of first mention, wherever they come from."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.errors import DataError
from visrec.ingestion.categories import parse_categories
from visrec.ingestion.column_types import ColumnNames

NAMES = ColumnNames(setting="ingest.items.columns", names={"categories": "cats"}, file="items.parquet")
MAPPING = pa.struct([("id", pa.int64()), ("name", pa.string())])


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["A|B|A", "", " B | A |"]),
        pa.array([b"A|B|A", None, b"B|A|| "]),
        pa.array(['["A", "B", null, "A "]', "[]", '["B", "", "A"]']),
        pa.array(["['A', 'B', None, 'A']", "[]", "['B' 'A']"]),
        pa.array([["A", None, "B", "A"], None, [" B", "A", ""]]),
        pa.array([[b"A", b"B"], [], [b"B", b"A", b"A"]]),
        pa.array([["A", "B"], None, ["B", "A"]], pa.large_list(pa.large_string())),
        pa.array([["A", "B"], [None, None], ["B", "A"]], pa.list_(pa.string(), 2)),
        pa.array([["A", "B"], [], ["B", "A"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        pa.array([[["A"], ["A", "B"]], [], [["B"], None, ["A"]]]),
        pa.array(['[["A"], ["A", "B"]]', None, '[["B", "A"]]']),
        pa.array(
            [[{"id": 1, "name": "A"}, {"id": 2, "name": "B"}], None, [{"name": "B"}, None, {"name": "A"}]],
            pa.list_(MAPPING),
        ),
        pa.array(
            ['[{"id": 1, "name": "A"}, {"Name": "B"}]', '{"name": null}', "[{'name': 'B'}, {'name': 'A'}]"]
        ),
        pa.array([[("name", "A|B")], None, [("name", "B|A")]], pa.map_(pa.string(), pa.string())),
    ],
)
def test_every_form_holds_the_same_sets(column: pa.Array) -> None:
    found, broken = parse_categories(column, "|", NAMES)
    expected = [["A", "B"], [], ["B", "A"]]
    if pa.types.is_map(column.type):  # a name is one category, whatever it holds
        expected = [["A|B"], [], ["B|A"]]
    assert found.to_pylist() == expected
    assert not broken.any()


def test_single_values_and_types() -> None:
    assert parse_categories(pa.array([3, None, 7]), "|", NAMES)[0].to_pylist() == [["3"], [], ["7"]]
    assert parse_categories(pa.array(["[1, 2.0, true, 1]"]), "|", NAMES)[0].to_pylist() == [
        ["1", "2", "true"]
    ]
    assert parse_categories(pa.array([{"id": 1, "name": "A"}]), "|", NAMES)[0].to_pylist() == [["A"]]
    values, broken = parse_categories(pa.array([b"\xff", b"A"]), "|", NAMES)
    assert (values.to_pylist(), broken.tolist()) == ([[], ["A"]], [True, False])


@pytest.mark.parametrize(
    ("column", "got"),
    [
        (pa.array(['[{"id": 1, "label": "A"}]']), "a mapping with the keys id, label"),
        (pa.array(['{"name": "A", "NAME": "B"}']), "a mapping with the keys name, NAME"),
        (pa.array([[{"id": 1}]]), "a mapping with the keys id in a column of list<item: struct<id: int64>>"),
        (pa.array([[b"\xff"]]), "bytes that are not UTF-8 in a column of list<item: binary>"),
    ],
)
def test_what_has_no_name_is_refused_by_column(column: pa.Array, got: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_categories(column, "|", NAMES)
    assert str(caught.value) == (
        "ingest.items.columns.categories: expected categories as text, numbers, lists of them, or mappings with one "
        f"key `name` in the column 'cats' of items.parquet, got {got}"
    )


_names = st.lists(st.text("abc |-", max_size=3), max_size=6)


@given(_names)
def test_categories_are_a_set_in_order_of_first_mention(names: list[str]) -> None:
    expected = [name.strip() for name in names if name.strip()]
    columns = [pa.array([names], pa.list_(pa.string())), pa.array([json.dumps(names)])]
    for column in columns:
        found = parse_categories(column, "|", NAMES)[0].to_pylist()[0]
        assert found == list(dict.fromkeys(expected))
