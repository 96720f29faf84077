from typing import Any

import numpy as np
import pyarrow as pa

from visrec.config import EVENT_KINDS
from visrec.ingestion.events import EVENT_SCHEMA, EventRules, check_events, kind_codes
from visrec.ingestion.formats import RawRows, csv_rows
from visrec.ingestion.quarantine import REASONS, REJECT_SCHEMA

ITEMS = pa.array(["a", "b"])
RULES = EventRules(
    time_unit="auto",
    kinds=kind_codes({"addtocart": "cart"}),
    default_kind=EVENT_KINDS.index("click"),
    min_time=10**12,
    max_time=2 * 10**12,
)
FIELDS = ("user_id", "item_id", "kind", "time", "position", "event_id")


def _check(
    data: bytes, fields: tuple[str, ...] = FIELDS
) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
    raw = csv_rows(data, FIELDS, {name: name for name in fields})
    events, rejects = check_events(raw, RULES, ITEMS, chunk=3)
    assert events.schema == EVENT_SCHEMA
    assert rejects.schema == REJECT_SCHEMA
    rows = [(r["line"], REASONS[r["reason"]].value, r["detail"]) for r in rejects.to_pylist()]
    assert all(row["chunk"] == 3 for row in [*events.to_pylist(), *rejects.to_pylist()])
    return events.to_pylist(), rows


def test_a_good_row() -> None:
    (event,), rejects = _check(b"u1,b,addtocart,1500000000,4,e7\n")
    assert rejects == []
    assert event == {
        "user_id": "u1",
        "item": 1,
        "item_id": None,
        "kind": EVENT_KINDS.index("cart"),
        "time": 1_500_000_000_000,
        "position": 4,
        "session_id": None,
        "event_id": "e7",
        "chunk": 3,
        "line": 1,
    }


def test_unknown_items_keep_their_name_and_negative_positions_mean_none() -> None:
    (event,), _ = _check(b"u1,zzz,Click,1500000000,-1,\n")
    assert (event["item"], event["item_id"], event["position"], event["event_id"]) == (-1, "zzz", None, None)


def test_every_reason() -> None:
    _, rejects = _check(
        b",a,click,1500000000,,\n"
        b"u,,click,1500000000,,\n"
        b"u,a,clik,1500000000,,\n"
        b"u,a,,1500000000,,\n"
        b"u,a,click,soon,,\n"
        b"u,a,click,-5,,\n"
        b"u,a,click,500000000,,\n"
        b"u,a,click,3000000000,,\n"
        b"u,a,click,1500000000,first,\n"
        b"u\xff,a,click,1500000000,,\n"
        b"u,a\n"
    )
    assert rejects == [
        (1, "missing_user", ""),
        (2, "missing_item", ""),
        (3, "unknown_kind", "clik"),
        (4, "unknown_kind", ""),
        (5, "bad_time", "soon"),
        (6, "negative_time", "-5"),
        (7, "impossible_time", "500000000"),
        (8, "future_time", "3000000000"),
        (9, "bad_position", "first"),
        (10, "not_utf8", "u\\xff"),
        (11, "malformed_row", "u,a"),
    ]


def test_columns_that_the_log_does_not_have() -> None:
    (event,), _ = _check(b"u1,a,hide,1500000000,4,e7\n", ("user_id", "item_id", "time"))
    assert event["kind"] == EVENT_KINDS.index("click")
    assert (event["position"], event["event_id"]) == (None, None)


def test_typed_columns() -> None:
    columns = {"user_id": pa.array([7]), "item_id": pa.array(["a"]), "time": pa.array([1_500_000_000])}
    events, rejects = check_events(
        RawRows(columns=columns, lines=np.array([1]), malformed=[], num_lines=1), RULES, ITEMS, 0
    )
    assert events.to_pylist()[0]["user_id"] == "7"
    assert rejects.num_rows == 0


def test_long_values_are_shown_short() -> None:
    _, ((_, _, detail),) = _check(b"u,a,click," + b"x" * 500 + b",,\n")
    assert len(detail) == 120


def test_ids_that_no_address_could_hold_are_rejected() -> None:
    long = b"\xc3\xa9" * 1024  # 2,048 bytes
    events, rejects = _check(
        long + b",a,click,1500000000,,\n"
        b"u" + long + b",a,click,1500000000,,\n"
        b"u," + long + b"z,click,1500000000,,\n"
    )
    assert [len(event["user_id"]) for event in events] == [1024]
    assert [reason for _, reason, _ in rejects] == ["user_id_too_long", "item_id_too_long"]
