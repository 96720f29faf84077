from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.errors import DataError
from visrec.ingestion.formats import jsonl_rows
from visrec.ingestion.id_text import id_texts

LOST = "lost"


def _read(column: Any) -> list[str | None]:
    """The ids; `lost` where digits are lost."""
    ids = id_texts(column)
    values: list[str | None] = ids.values.to_pylist()
    assert all(value is None for value, lost in zip(values, ids.digits_lost, strict=True) if lost)
    return [LOST if lost else value for value, lost in zip(values, ids.digits_lost, strict=True)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("17850", "17850"),
        ("17850.0", "17850"),
        (" 17850.000 ", "17850"),
        ("-3.0", "-3"),
        ("0.0", "0"),
        ("007", "007"),
        ("007.0", "007.0"),
        ("1.10", "1.10"),
        ("17850.", "17850."),
        ("1785E1", "1785E1"),
        ("3e10", "3e10"),
        ("a+b", "a+b"),
        ("x.0", "x.0"),
        ("", None),
        ("  ", None),
        ("NaN", None),
        ("nan", None),
        ("null", None),
        ("NULL", None),
        ("\\N", None),
        ("nana", "nana"),
        ("9007199254740991.0", "9007199254740991"),
        ("9007199254740992.0", LOST),
        ("-9007199254740992.0", LOST),
        ("9007199254740993", "9007199254740993"),
        ("1.2345678901234568e+18", LOST),
        ("1E+18", LOST),
        ("é.0", "é.0"),
    ],
)
def test_text(written: str, expected: str | None) -> None:
    around = [written, "10.0", None]
    assert _read(pa.array(around)) == [expected, "10", None]
    assert _read(pa.array([written.encode(), b"10.0", None])) == [expected, "10", None]
    assert _read(pa.array(["1", *around]).slice(1)) == [expected, "10", None]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([17850.0, None, float("nan"), 2.5]), ["17850", None, None, "2.5"]),
        (pa.array([2.0**53 - 1, 2.0**53, -(2.0**60), float("inf")]), ["9007199254740991", LOST, LOST, LOST]),
        (pa.array([1e-7, -0.0]), [LOST, "0"]),
        (pa.array([2.0**24 - 1, 2.0**24], pa.float32()), ["16777215", LOST]),
        (pa.array(np.array([2047, 2048], np.float16)), ["2047", LOST]),
        (pa.array([2**62 + 1, None]), ["4611686018427387905", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([Decimal("9007199254740993")], pa.decimal128(20, 0)), ["9007199254740993"]),
        (pa.array([Decimal("9007199254740993.00")], pa.decimal128(20, 2)), ["9007199254740993"]),
        (pa.array([None, None]), [None, None]),
        (pa.array([], pa.string()), []),
        (pa.array([], pa.float64()), []),
    ],
)
def test_numbers_of_every_type(column: Any, expected: list[str | None]) -> None:
    assert _read(column) == expected


def test_uuids() -> None:
    ids = [UUID("046e73d9-0000-4000-8000-0123456789ab"), None, UUID(int=2**128 - 1)]
    column = pa.array([None if value is None else value.bytes for value in ids], pa.uuid())
    expected = [None if value is None else str(value) for value in ids]
    assert _read(column) == expected
    assert _read(column.slice(1)) == expected[1:]
    assert _read(column.slice(3)) == []


@pytest.mark.parametrize(
    "column",
    [
        pa.array([bytes(16)], pa.binary(16)),
        pa.array([["a"]]),
        pa.array([{"id": 1}]),
        pa.array([True]),
        pa.array([0], pa.timestamp("ms")),
    ],
)
def test_other_types_are_no_ids(column: Any) -> None:
    with pytest.raises(DataError, match="expected ids as text, whole numbers or UUIDs, got a column of "):
        id_texts(column)


@given(st.lists(st.none() | st.integers(-(2**53) + 1, 2**53 - 1)))
def test_an_id_has_one_text_in_every_format(ids: list[int | None]) -> None:
    expected = [None if value is None else str(value) for value in ids]
    as_floats = [None if value is None else float(value) for value in ids]
    plain = [None if value is None else f"{value}.0" for value in ids]
    lines = "\n".join('{"id": %s}' % ("null" if value is None else value) for value in plain).encode()
    for column in (
        pa.array(ids, pa.int64()),
        pa.array(as_floats, pa.float64()),
        pa.array(plain, pa.string()),
        jsonl_rows(lines, {"user_id": "id"}).columns["user_id"],
    ):
        assert id_texts(column).values.to_pylist() == expected
