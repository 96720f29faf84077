import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.errors import DataError
from visrec.ingestion.availability import WORDS, parse_availability
from visrec.ingestion.column_types import ColumnNames

NAMES = ColumnNames(setting="ingest.items.columns", names={"available": "Status"}, file="items.csv")


def test_words_of_shops_counts_and_missing_values() -> None:
    column = pa.array(
        [
            "active",
            "Draft",
            "ARCHIVED",
            "In stock",
            "out_of-stock",
            "onbackorder",
            "0",
            "12",
            "-1",
            "2.0",
            "",
            None,
        ]
    )
    expected = [True, False, False, True, False, True, False, True, False, True, True, True]
    assert parse_availability(column, NAMES, {})[0].to_pylist() == expected


@pytest.mark.parametrize(
    "column", [pa.array([3, 0, None]), pa.array([1.5, 0.0, None]), pa.array([True, False, None])]
)
def test_columns_of_numbers_and_booleans(column: pa.Array) -> None:
    assert parse_availability(column, NAMES, {})[0].to_pylist() == [True, False, True]


def test_an_unknown_word_stops_and_its_meaning_can_be_told() -> None:
    column = pa.array(["active", "preorder", "preorder", "on hold"])
    with pytest.raises(DataError) as caught:
        parse_availability(column, NAMES, {})
    assert str(caught.value) == (
        "ingest.items.columns.available: expected words that say whether an item may be shown in the column 'Status' "
        "of items.csv, got 'preorder' (2 rows), 'on hold' (1 rows); say what they mean in "
        "ingest.items.available_names, such as {preorder: false}"
    )
    meanings = {"Preorder": True, "On-Hold": False}
    assert parse_availability(column, NAMES, meanings)[0].to_pylist() == [True, True, True, False]


@given(word=st.sampled_from(sorted(WORDS)), upper=st.booleans())
def test_a_meaning_in_the_config_comes_before_the_usual_one(word: str, upper: bool) -> None:
    column = pa.array([word.upper() if upper else word])
    assert parse_availability(column, NAMES, {word: not WORDS[word]})[0].to_pylist() == [not WORDS[word]]
