from typing import Any

import pyarrow as pa
import pytest

from visrec.errors import DataError
from visrec.ingestion.values import floats, integers, text


@pytest.mark.parametrize(
    ("array", "expected", "broken"),
    [
        (pa.array([b" a ", b"", b"\xff", None, "é".encode()]), ["a", None, None, None, "é"], [0, 0, 1, 0, 0]),
        (pa.array(["b", " ", None]), ["b", None, None], [0, 0, 0]),
        (pa.array([5, None]), ["5", None], [0, 0]),
        (pa.array([5.0, None, 2.5, 1e6]), ["5", None, "2.5", "1000000"], [0, 0, 0, 0]),
        (pa.array([True]), ["true"], [0]),
    ],
)
def test_text_of_every_type(array: Any, expected: list[str | None], broken: list[int]) -> None:
    values, marks = text(array)
    assert values.to_pylist() == expected
    assert marks.astype(int).tolist() == broken


def test_lists_are_no_text() -> None:
    with pytest.raises(DataError, match="expected a column of text or numbers, got one of list"):
        text(pa.array([[1]]))


def test_integers() -> None:
    values, bad = integers(pa.array(["3", "+4", "-1", "5.0", "", None, "x", "2.5"]))
    assert values.to_pylist() == [3, 4, -1, 5, None, None, None, None]
    assert bad.tolist() == [False] * 6 + [True, True]
    assert integers(pa.array([7.0, None]))[0].to_pylist() == [7, None]


def test_floats() -> None:
    values, bad = floats(pa.array(["3", "+.5", "-1e2", "", "1,5", "nan", "9 EUR"]))
    assert values.to_pylist() == [3.0, 0.5, -100.0, None, None, None, None]
    assert bad.tolist() == [False] * 4 + [True] * 3
