"""A column that cannot hold what its setting takes it for is refused in one line."""

from datetime import time, timedelta

import pyarrow as pa
import pytest

from visrec.errors import DataError
from visrec.ingestion.column_types import ColumnNames, check_types

NAMES = ColumnNames(setting="ingest.interactions.columns", names={"user_id": "customer"}, file="log.parquet")
FIXED = pa.array([bytes(16)], pa.binary(16))
LIST, STRUCT = pa.array([["a"]]), pa.array([{"a": 1}])
CLOCK, DURATION, FLAG = pa.array([time(1)]), pa.array([timedelta(1)]), pa.array([True])


@pytest.mark.parametrize(
    ("role", "column"),
    [
        *[
            (role, c)
            for role in ("user_id", "item_id", "session_id", "event_id")
            for c in (FIXED, LIST, STRUCT)
        ],
        *[
            ("user_id", c)
            for c in (CLOCK, DURATION, FLAG, pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())))
        ],
        *[(role, c) for role in ("time", "created_at") for c in (FIXED, LIST, STRUCT, CLOCK, DURATION, FLAG)],
        *[(role, c) for role in ("price", "position", "title") for c in (FIXED, LIST, STRUCT, CLOCK, FLAG)],
        *[(role, c) for role in ("available", "kind") for c in (FIXED, LIST, STRUCT, CLOCK)],
    ],
)
def test_wrong_types(role: str, column: pa.Array) -> None:
    name = "customer" if role == "user_id" else role
    with pytest.raises(DataError) as caught:
        check_types({role: column}, NAMES)
    message = str(caught.value)
    assert message.startswith(f"ingest.interactions.columns.{role}: expected ")
    assert message.endswith(f"in the column '{name}' of log.parquet, got a column of {column.type}")


@pytest.mark.parametrize("role", ["user_id", "time", "price", "available", "kind", "title"])
@pytest.mark.parametrize(
    "column",
    [pa.array(["1"]), pa.array([b"1"]), pa.array(["1"]).dictionary_encode(), pa.array([1]), pa.nulls(1)],
    ids=str,
)
def test_right_types(role: str, column: pa.Array) -> None:
    check_types({role: column, "image": STRUCT, "categories": STRUCT}, NAMES)


def test_a_long_type_is_shortened() -> None:
    wide = pa.array([dict.fromkeys((f"column_{k}" for k in range(50)), 1)])
    with pytest.raises(DataError) as caught:
        check_types({"price": wide}, NAMES)
    assert len(str(caught.value)) < 300
