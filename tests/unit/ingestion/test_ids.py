import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.ingestion.ids import all_integers, natural_order


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["0", "-5", "123456789012345678"], True),
        (["1", "02"], False),  # by value 02 and 2 would tie
        (["1", "1.0"], False),
        (["9" * 19], False),  # beyond int64
        (["", "1"], False),
        ([], True),
    ],
)
def test_what_counts_as_integers(ids: list[str], expected: bool) -> None:
    assert all_integers(pa.array(ids, pa.string())) is expected


def test_order_is_by_value_or_by_text() -> None:
    assert natural_order(pa.array(["10", "9", "-1"])).tolist() == [2, 1, 0]
    assert natural_order(pa.array(["u10", "u9", "U1"])).tolist() == [2, 0, 1]
    assert natural_order(pa.array(["10", "9"]), integers=False).tolist() == [0, 1]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True))
def test_text_order_is_that_of_python(ids: list[str]) -> None:
    array = pa.array(ids, pa.string())
    assert array.take(pa.array(natural_order(array, integers=False))).to_pylist() == sorted(ids)
