import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.config import EVENT_KINDS
from visrec.config.base import DEFAULT_WEIGHTS
from visrec.config.ingest import InteractionColumnsConfig, InteractionsConfig
from visrec.ingestion.chunks import SourceLines
from visrec.ingestion.cleaning import CLEAN_SCHEMA, CleaningRules, clean
from visrec.ingestion.event_ids import SharedEventIds
from visrec.ingestion.events import EVENT_SCHEMA
from visrec.ingestion.quarantine import REASONS, REJECT_SCHEMA

VIEW, CLICK, CART, HIDE = (EVENT_KINDS.index(k) for k in ("view", "click", "cart", "hide"))
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


def _rules(**changes: Any) -> CleaningRules:
    weights = {**DEFAULT_WEIGHTS, "view": 0.0}
    settings: dict[str, Any] = {
        "near_duplicate_window": 1000.0,
        "merge_window": 30.0 * MINUTE,
        "events_per_minute": 10.0,
        "weights": np.array([weights[kind] for kind in EVENT_KINDS], np.float32),
        "has_picture": np.array([True, True, True, False]),
        "integer_users": False,
        "item_numbers": np.arange(5000, dtype=np.uint64),
        "tie_seed": 0,
    }
    return CleaningRules(**{**settings, **changes})


def _events(rows: list[dict[str, Any]]) -> pa.Table:
    defaults = {"item_id": None, "position": None, "session_id": None, "event_id": None, "chunk": 0}
    return pa.Table.from_pylist([{**defaults, "line": k, **row} for k, row in enumerate(rows)], EVENT_SCHEMA)


def _row(user: str, item: int, kind: int, at: int, **more: Any) -> dict[str, Any]:
    return {"user_id": user, "item": item, "kind": kind, "time": at, **more}


def test_a_block_by_hand() -> None:
    bot = [_row("bot", 0, CLICK, minute * MINUTE + k) for minute in range(3) for k in range(11)]
    rows = [
        _row("b", 0, VIEW, 0, position=3),
        _row("b", 0, CLICK, 10 * SECOND, session_id="s"),  # merged with the view; its position comes along
        _row("b", 0, CLICK, 10 * SECOND),  # duplicate
        _row("b", 1, CLICK, HOUR, event_id="e"),
        _row("b", 1, CLICK, 9 * HOUR, event_id="e"),  # duplicate by id
        _row("b", 1, CLICK, HOUR + 900),  # near duplicate
        _row("b", -1, CLICK, HOUR, item_id="zzz"),
        _row("b", 3, CLICK, HOUR),  # has no picture
        _row("b", 0, CART, 5 * HOUR),  # a later visit: kept, but not the first positive
        _row("a", 2, HIDE, 7),
        *bot,
    ]
    order = np.random.default_rng(0).permutation(len(rows))
    events = _events(rows).take(pa.array(order))  # blocks come in any order
    result = clean(events, _rules())
    block, rejects = result.block, result.rejects
    assert block.events.schema == CLEAN_SCHEMA
    assert rejects.schema == REJECT_SCHEMA
    assert result.num_merged == 1
    assert block.user_ids.to_pylist() == ["a", "b"]
    kept = [
        (e["user"], e["item"], e["kind"], e["time"], e["first_positive"]) for e in block.events.to_pylist()
    ]
    assert kept == [
        (0, 2, HIDE, 7, False),
        (1, 0, CLICK, 10 * SECOND, True),
        (1, 1, CLICK, HOUR, True),
        (1, 0, CART, 5 * HOUR, False),
    ]
    clicked = block.events.to_pylist()[1]
    assert (clicked["position"], clicked["session_id"], clicked["line"]) == (3, "s", 1)
    found = {(r["line"], REASONS[r["reason"]].value, r["detail"]) for r in rejects.to_pylist()}
    assert {f for f in found if f[1] != "bot"} == {
        (2, "duplicate", ""),
        (4, "duplicate", ""),
        (5, "near_duplicate", ""),
        (6, "unknown_item", "zzz"),
        (7, "item_without_image", ""),
    }
    assert {f for f in found if f[1] == "bot"} == {(10 + k, "bot", "bot") for k in range(33)}
    assert len(found) == rejects.num_rows


def test_users_are_in_natural_order() -> None:
    events = _events([_row(user, 0, CLICK, 0) for user in ("10", "9", "100")])
    assert clean(events, _rules(integer_users=True)).block.user_ids.to_pylist() == ["9", "10", "100"]
    assert clean(events, _rules()).block.user_ids.to_pylist() == ["10", "100", "9"]


def test_no_events() -> None:
    result = clean(EVENT_SCHEMA.empty_table(), _rules())
    assert (len(result.block.user_ids), result.block.events.num_rows) == (0, 0)
    assert (result.rejects.num_rows, result.num_merged) == (0, 0)


def _one_user(num: int) -> pa.Table:
    rng = np.random.default_rng(0)
    nulls = {name: pa.nulls(num, EVENT_SCHEMA.field(name).type) for name in EVENT_SCHEMA.names}
    columns = {
        "user_id": pa.array(["u"] * num),
        "item": pa.array(rng.integers(0, 5000, num).astype(np.int32)),
        "kind": pa.array(np.full(num, CLICK, np.int8)),
        "time": pa.array(rng.integers(0, 10**11, num)),
        "chunk": pa.array(np.zeros(num, np.int32)),
        "line": pa.array(np.arange(num)),
    }
    return pa.table({**nulls, **columns}, EVENT_SCHEMA)


def _num_calls(function: Callable[[], object]) -> int:
    """Calls of Python and C functions: a measure of work that no busy machine changes."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def test_one_user_with_a_hundred_thousand_events_is_cleaned_in_whole_columns() -> None:
    rules = _rules(has_picture=np.ones(5000, bool))
    few, many = _one_user(100), _one_user(100_000)
    clean(few, rules)  # the first call imports what it needs
    assert _num_calls(lambda: clean(many, rules)) < 2 * _num_calls(lambda: clean(few, rules))
    block = clean(many, rules).block
    assert block.column("first_positive").sum() == 5000
    assert (np.diff(block.column("time")) >= 0).all()


def test_events_that_share_an_event_id_are_kept_and_told() -> None:
    basket = [
        _row("a", 0, CART, 0, event_id="t1"),
        _row("a", 1, CART, 0, event_id="t1"),
        _row("a", 1, CART, 5 * SECOND, event_id="t1"),  # sent again
        _row("a", 1, HIDE, 0, event_id="t1"),
        _row("a", -1, CART, 0, event_id="t1", item_id="x"),
        _row("a", -1, CART, 0, event_id="t1", item_id="y"),
        _row("a", -1, CART, 9, event_id="t1", item_id="y"),  # sent again
        _row("a", 2, CART, 0, event_id="t2"),
        _row("b", 0, CART, 0, event_id="t1"),
    ]
    result = clean(_events(basket), _rules(merge_window=0.0))
    found = [(r["line"], REASONS[r["reason"]].value) for r in result.rejects.to_pylist()]
    assert found == [(2, "duplicate"), (4, "unknown_item"), (5, "unknown_item"), (6, "duplicate")]
    assert result.shared_event_ids.num_events == 5
    assert result.shared_event_ids.example == ("t1", (0, 0), (0, 1))
    source_lines = SourceLines(files=("log.csv",), lines_before=np.zeros(1, np.int64))
    log = InteractionsConfig(columns=InteractionColumnsConfig(event_id="basket"))
    assert result.shared_event_ids.note(source_lines, {"ingest.interactions": log}) == (
        "ingest.interactions.columns.event_id: 'basket' is no id of single events: 5 events share theirs with an event "
        "of another item or kind and are kept, e.g. t1 at log.csv:0 and log.csv:1"
    )


def test_event_ids_of_single_events_are_not_told() -> None:
    rows = [_row("a", k % 2, CART, k * HOUR, event_id=f"e{k}") for k in range(4)]
    result = clean(_events([*rows, *rows]), _rules())
    assert result.shared_event_ids == SharedEventIds()
    assert result.rejects.num_rows == 4
    assert clean(_events(rows), _rules()).block.events.num_rows == 4
