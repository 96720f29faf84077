"""From raw rows to checked events: ids, kind, time, place; and a reason for each row that is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.config import EVENT_KINDS
from visrec.config.base import EventKind
from visrec.config.ingest import InteractionColumnsConfig, TimeUnit
from visrec.ingest.formats import RawRows
from visrec.ingest.quarantine import CODE, REASONS, Reason
from visrec.ingest.times import parse_times
from visrec.ingest.values import integers, text

EVENT_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("item", pa.int32()),  # place in the catalogue, -1 where it is not there
        ("item_id", pa.string()),  # only where it is not there
        ("kind", pa.int8()),
        ("time", pa.int64()),
        ("position", pa.int32()),
        ("session_id", pa.string()),
        ("event_id", pa.string()),
        ("chunk", pa.int32()),  # with `line`: where the row stands
        ("line", pa.int64()),
    ]
)
REJECT_SCHEMA = pa.schema(
    [("chunk", pa.int32()), ("line", pa.int64()), ("reason", pa.int8()), ("detail", pa.string())]
)
_DETAIL_LENGTH = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRules:
    """What makes a row an event.

    Attributes:
        time_unit: What numbers in the time column count.
        kinds: Code of each name of a kind.
        default_kind: Code where there is no kind column.
        min_time: Milliseconds; earlier events are impossible.
        max_time: Milliseconds; later events are impossible.
        setting: Name of the log's setting, for messages.
        event_id_prefix: Tells the event ids of this log from those of others.
    """

    time_unit: TimeUnit
    kinds: dict[str, int]
    default_kind: int
    min_time: int
    max_time: int
    setting: str = "ingest.interactions"
    event_id_prefix: str = ""


def kind_codes(names: Mapping[str, EventKind]) -> dict[str, int]:
    """Code of each kind by its own name and by the input's other names for it."""
    codes: dict[str, int] = {kind: code for code, kind in enumerate(EVENT_KINDS)}
    return codes | {name: codes[kind] for name, kind in names.items()}


def mapped_columns(columns: InteractionColumnsConfig) -> dict[str, str]:
    """Role and column name of those columns that the input has."""
    return {role: name for role, name in columns.model_dump().items() if name is not None}


def check_events(raw: RawRows, rules: EventRules, item_ids: Any, chunk: int) -> tuple[pa.Table, pa.Table]:
    """Split raw rows into events and rejects.

    Args:
        raw: Rows with the columns user_id, item_id, time and perhaps kind, position, session_id, event_id.
        rules: What is allowed.
        item_ids: Ids of the catalogue, a pyarrow string array.
        chunk: Number of the chunk that the rows are from.

    Returns:
        Events (`EVENT_SCHEMA`) and rejects (`REJECT_SCHEMA`).
    """
    check = _Check(len(raw.lines))
    users = check.text(raw.columns["user_id"], Reason.MISSING_USER)
    items = check.text(raw.columns["item_id"], Reason.MISSING_ITEM)
    kinds = _kinds(raw, rules, check)
    positions = _positions(raw, check)
    session_ids = check.text(raw.columns.get("session_id"))
    event_ids = check.text(raw.columns.get("event_id"))
    if rules.event_id_prefix:
        event_ids = pc.binary_join_element_wise(rules.event_id_prefix, event_ids, "")
    times = _times(raw.columns["time"], rules, check)
    found = pc.fill_null(pc.index_in(items, value_set=item_ids), -1)
    known = pc.greater_equal(found, 0)
    columns = {
        "user_id": users,
        "item": found,
        "item_id": pc.if_else(known, pa.scalar(None, pa.string()), items),
        "kind": pa.array(kinds),
        "time": pa.array(times),
        "position": positions,
        "session_id": session_ids,
        "event_id": event_ids,
        "chunk": pa.array(np.full(len(raw.lines), chunk, np.int32)),
        "line": pa.array(raw.lines),
    }
    good = pa.array(check.reason < 0)
    events = pa.table(columns, schema=EVENT_SCHEMA).filter(good)
    return events, _rejects(raw, check, chunk)


class _Check:
    """The first problem of each row, found column by column."""

    def __init__(self, num_rows: int) -> None:
        self.reason = np.full(num_rows, -1, np.int8)
        self.detail: dict[int, str] = {}

    def mark(self, wrong: NDArray[np.bool_], reason: Reason, values: Any = None) -> None:
        """Record a reason, and the value in question, where there is none yet."""
        new = np.flatnonzero(wrong & (self.reason < 0))
        self.reason[new] = CODE[reason]
        if values is not None:
            for row in new:
                self.detail[int(row)] = _shorten(values[int(row)].as_py())

    def text(self, column: Any, missing: Reason | None = None) -> Any:
        """A column as text; marks what is not UTF-8 and, with a reason for it, what is empty."""
        if column is None:
            return pa.nulls(len(self.reason), pa.string())
        values, broken = text(column)
        self.mark(broken, Reason.NOT_UTF8, column)
        if missing is not None:
            self.mark(np.asarray(pc.is_null(values)), missing)
        return values


def _kinds(raw: RawRows, rules: EventRules, check: _Check) -> NDArray[np.int8]:
    if "kind" not in raw.columns:
        return np.full(len(raw.lines), rules.default_kind, np.int8)
    names = pc.fill_null(check.text(raw.columns["kind"]), "").dictionary_encode()
    codes = [
        rules.kinds.get(name, rules.kinds.get(name.lower(), -1)) for name in names.dictionary.to_pylist()
    ]
    kinds: NDArray[np.int8] = np.array(codes, np.int8)[np.asarray(names.indices)]
    check.mark(kinds < 0, Reason.UNKNOWN_KIND, names)
    return kinds


def _positions(raw: RawRows, check: _Check) -> Any:
    if "position" not in raw.columns:
        return pa.nulls(len(raw.lines), pa.int32())
    values, bad = integers(raw.columns["position"])
    check.mark(bad, Reason.BAD_POSITION, raw.columns["position"])
    inside = pc.and_(pc.greater_equal(values, 0), pc.less(values, 2**31))  # below 0: logged as "none"
    return pc.cast(pc.if_else(inside, values, pa.scalar(None, pa.int64())), pa.int32())


def _times(column: Any, rules: EventRules, check: _Check) -> NDArray[np.int64]:
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        column = check.text(column)
    times, readable = parse_times(column, rules.time_unit, setting=f"{rules.setting}.time_unit")
    check.mark(~readable, Reason.BAD_TIME, column)
    check.mark(times < 0, Reason.NEGATIVE_TIME, column)
    check.mark(times < rules.min_time, Reason.IMPOSSIBLE_TIME, column)
    check.mark(times > rules.max_time, Reason.FUTURE_TIME, column)
    return times


def _rejects(raw: RawRows, check: _Check, chunk: int) -> pa.Table:
    bad = np.flatnonzero(check.reason >= 0)
    lines = [int(raw.lines[row]) for row in bad] + [line for line, _ in raw.malformed]
    reasons = [int(check.reason[row]) for row in bad] + [CODE[Reason.MALFORMED_ROW]] * len(raw.malformed)
    details = [check.detail.get(int(row), "") for row in bad] + [_shorten(row) for _, row in raw.malformed]
    order = np.argsort(lines, kind="stable")
    return pa.table(
        {
            "chunk": pa.array(np.full(len(lines), chunk, np.int32)),
            "line": pa.array(np.array(lines, np.int64)[order]),
            "reason": pa.array(np.array(reasons, np.int8)[order]),
            "detail": pa.array([details[k] for k in order], pa.string()),
        },
        schema=REJECT_SCHEMA,
    )


def _shorten(value: Any) -> str:
    shown = value.decode("utf-8", errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return shown if len(shown) <= _DETAIL_LENGTH else shown[: _DETAIL_LENGTH - 1] + "…"


def reason_name(code: int) -> str:
    """The code of a `Reason` as its text."""
    return REASONS[code].value
