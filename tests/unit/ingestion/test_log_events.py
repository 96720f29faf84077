import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.config import EVENT_KINDS
from visrec.ingestion.events import EVENT_SCHEMA, EventRules, check_events, kind_codes
from visrec.ingestion.formats import RawRows, csv_rows
from visrec.ingestion.quarantine import REASONS, REJECT_SCHEMA
from visrec.ingestion.times import parse_iso

ITEMS = pa.array(["a", "b"])
RULES = EventRules(
    time_unit="auto",
    kinds=kind_codes({"addtocart": "cart"}),
    default_kind=EVENT_KINDS.index("click"),
    min_time=10**12,
    max_time=2 * 10**12,
)
EARLY = (
    "earlier than ingest.cleaning.min_time 2001-09-09T01:46:40Z; if it is right, set ingest.cleaning.min_time"
)
LATE = "later than the present; if it is right, set ingest.cleaning.max_future_seconds"
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
        (
            5,
            "bad_time",
            "soon is no ISO 8601 time; other forms can be read by ingest.interactions.time_format",
        ),
        (
            6,
            "negative_time",
            f"-5 was taken for seconds: 1969-12-31T23:59:55Z, {EARLY}",
        ),
        (
            7,
            "impossible_time",
            f"500000000 was taken for seconds: 1985-11-05T00:53:20Z, {EARLY}",
        ),
        (
            8,
            "future_time",
            f"3000000000 was taken for seconds: 2065-01-24T05:20:00Z, {LATE}",
        ),
        (9, "bad_position", "first"),
        (
            10,
            "not_utf8",
            "u\\xff (not UTF-8; where the file has another encoding, set ingest.interactions.encoding, such as cp1252)",
        ),
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
    assert (
        detail
        == "x" * 119 + "… is no ISO 8601 time; other forms can be read by ingest.interactions.time_format"
    )


def test_ids_that_no_address_could_hold_are_rejected() -> None:
    long = b"\xc3\xa9" * 1024  # 2,048 bytes
    events, rejects = _check(
        long + b",a,click,1500000000,,\n"
        b"u" + long + b",a,click,1500000000,,\n"
        b"u," + long + b"z,click,1500000000,,\n"
    )
    assert [len(event["user_id"]) for event in events] == [1024]
    assert [reason for _, reason, _ in rejects] == ["user_id_too_long", "item_id_too_long"]


def test_years_before_1970_where_min_time_allows_them() -> None:
    rules = dataclasses.replace(RULES, min_time=parse_iso("1500-01-01") or 0)
    raw = csv_rows(
        b"u,a,click,1503-02-01,,\nu,a,click,1965-01-01,,\nu,a,click,-86400,,\nu,a,click,1503,,\nu,a,click,1499-01-01,,\n",
        FIELDS,
        {name: name for name in FIELDS},
    )
    events, rejects = check_events(raw, rules, ITEMS, chunk=0)
    assert events.column("time").to_pylist() == [-14_734_483_200_000, -157_766_400_000, -86_400_000]
    # A year is no second of 1970, whatever min_time allows.
    assert [(r["line"], REASONS[r["reason"]].value) for r in rejects.to_pylist()] == [
        (4, "impossible_time"),
        (5, "negative_time"),
    ]
    assert "1503 was taken for seconds: 1970-01-01T00:25:03Z" in rejects.column("detail")[0].as_py()


def test_a_spreadsheet_that_lost_digits() -> None:
    _, ((_, reason, detail),) = _check(b"u,a,click,1.67E+12,,\n")
    assert reason == "time_digits_lost"
    assert detail.startswith("1.67E+12 has lost digits: ")


def test_times_by_a_pattern() -> None:
    rules = dataclasses.replace(RULES, time_format="%d/%m/%Y")
    raw = csv_rows(
        b"u,a,click,01/02/2023,,\nu,a,click,1675209600,,\n", FIELDS, {name: name for name in FIELDS}
    )
    events, rejects = check_events(raw, rules, ITEMS, chunk=0)
    assert events.column("time").to_pylist() == [1_675_209_600_000]
    assert rejects.column("detail").to_pylist() == [
        "1675209600 does not match ingest.interactions.time_format '%d/%m/%Y'"
    ]
