"""Validation of raw log rows: typed events, and a reason for each rejected row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.config import EVENT_KINDS
from visrec.config.base import EventKind
from visrec.config.ingest import CleaningConfig, InteractionsConfig, TimeUnit
from visrec.ingestion.formats import RawRows
from visrec.ingestion.id_text import digits_lost_note, id_texts
from visrec.ingestion.ids import fill_digits, too_long
from visrec.ingestion.quarantine import REASON_CODES, REJECT_SCHEMA, Reason
from visrec.ingestion.time_notes import TimeNotes
from visrec.ingestion.times import SMALLEST_AUTO, digits_lost, parse_iso, parse_times, small_numbers
from visrec.ingestion.values import integers, not_utf8_note, shown, text

EVENT_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("item", pa.int32()),  # row of the catalogue, -1 for an unknown item
        ("item_id", pa.string()),  # of unknown items only
        ("kind", pa.int8()),
        ("time", pa.int64()),
        ("position", pa.int32()),
        ("session_id", pa.string()),
        ("event_id", pa.string()),
        ("chunk", pa.int32()),  # with `line` the row's location, see `SourceLines`
        ("line", pa.int64()),
    ]
)
_DETAIL_LENGTH = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRules:
    """Rules of one log that its rows are validated by.

    Attributes:
        time_unit: Unit of numbers in the time column.
        kinds: Code of each kind by each of its names.
        default_kind: Code where there is no kind column.
        min_time: Milliseconds; earlier events are impossible.
        max_time: Milliseconds; later events are impossible.
        setting: Name of the log's setting, for messages.
        event_id_prefix: Keeps the event ids of this log apart from those of other logs.
        item_id_width: Item ids of digits are filled with zeros up to this width; None leaves them.
        time_format: Pattern of the times, in the place of `time_unit`.
        time_origin: Milliseconds from which numbers in the time column count.
    """

    time_unit: TimeUnit
    kinds: dict[str, int]
    default_kind: int
    min_time: int
    max_time: int
    setting: str = "ingest.interactions"
    event_id_prefix: str = ""
    item_id_width: int | None = None
    time_format: str | None = None
    time_origin: int = 0

    @property
    def time_notes(self) -> TimeNotes:
        """Explains times that are rejected."""
        return TimeNotes(
            setting=self.setting,
            unit=self.time_unit,
            pattern=self.time_format,
            origin=self.time_origin,
            min_time=self.min_time,
        )

    @classmethod
    def of(
        cls,
        log: InteractionsConfig,
        cleaning: CleaningConfig,
        *,
        now: float,
        setting: str,
        event_id_prefix: str = "",
    ) -> "EventRules":
        """From the settings of a log and of cleaning; `now` in seconds since 1970 is where the future begins."""
        return cls(
            time_unit=log.time_unit,
            kinds=kind_codes(log.kind_names),
            default_kind=EVENT_KINDS.index(log.default_kind),
            min_time=parse_iso(cleaning.min_time) or 0,
            max_time=int((now + cleaning.max_future_seconds) * 1000),
            setting=setting,
            event_id_prefix=event_id_prefix,
            item_id_width=log.item_id_width,
            time_format=log.time_format,
            time_origin=0 if log.time_origin is None else parse_iso(log.time_origin) or 0,
        )


def check_events(raw: RawRows, rules: EventRules, item_ids: Any, chunk: int) -> tuple[pa.Table, pa.Table]:
    """Split raw rows into events and rejects.

    Args:
        raw: Rows with the columns user_id, item_id, time and perhaps kind, position, session_id, event_id.
        rules: Rules of the log.
        item_ids: Ids of the catalogue, a pyarrow string array.
        chunk: Number of the chunk that the rows are from.

    Returns:
        Events (`EVENT_SCHEMA`) and rejects (`REJECT_SCHEMA`).
    """
    check = _RowCheck(len(raw.lines), rules.setting)
    users = check.ids(raw, "user_id", Reason.MISSING_USER)
    items = fill_digits(check.ids(raw, "item_id", Reason.MISSING_ITEM), rules.item_id_width)
    check.mark(too_long(users), Reason.USER_ID_TOO_LONG, users)
    check.mark(too_long(items), Reason.ITEM_ID_TOO_LONG, items)
    kinds = _kinds(raw, rules, check)
    positions = _positions(raw, check)
    session_ids = check.ids(raw, "session_id")
    event_ids = check.ids(raw, "event_id")
    if rules.event_id_prefix:
        event_ids = pc.binary_join_element_wise(rules.event_id_prefix, event_ids, "")
    times = _times(raw.columns["time"], rules, check)
    item = pc.fill_null(pc.index_in(items, value_set=item_ids), -1)
    known = pc.greater_equal(item, 0)
    columns = {
        "user_id": users,
        "item": item,
        "item_id": pc.if_else(known, pa.scalar(None, pa.string()), items),
        "kind": pa.array(kinds),
        "time": pa.array(times),
        "position": positions,
        "session_id": session_ids,
        "event_id": event_ids,
        "chunk": pa.array(np.full(len(raw.lines), chunk, np.int32)),
        "line": pa.array(raw.lines),
    }
    valid = pa.array(check.reason < 0)
    events = pa.table(columns, schema=EVENT_SCHEMA).filter(valid)
    return events, _rejects(raw, check, chunk)


def kind_codes(names: Mapping[str, EventKind]) -> dict[str, int]:
    """Code of each kind by its own name and by the names that the log has for it.

    Example:
        >>> kind_codes({"addtocart": "cart"})["addtocart"] == EVENT_KINDS.index("cart")
        True
    """
    codes: dict[str, int] = {kind: code for code, kind in enumerate(EVENT_KINDS)}
    return codes | {name: codes[kind] for name, kind in names.items()}


class _RowCheck:
    """The first fault of each row, found column by column: a reason code, -1 for none, and the value in question."""

    def __init__(self, num_rows: int, setting: str) -> None:
        self.setting = setting
        self.reason = np.full(num_rows, -1, np.int8)
        self.detail: dict[int, str] = {}

    def mark(
        self,
        wrong: NDArray[np.bool_],
        reason: Reason,
        values: Any = None,
        note: str | Callable[[str, int], str] = "",
    ) -> None:
        """Record a reason, the value in question and a note, perhaps one of value and row, for rows without a fault."""
        new = np.flatnonzero(wrong & (self.reason < 0))
        self.reason[new] = REASON_CODES[reason]
        if values is not None:
            for row in new:
                value = values[int(row)].as_py()
                text = "" if value is None else shown(value, _DETAIL_LENGTH)
                self.detail[int(row)] = text + (note if isinstance(note, str) else note(text, int(row)))

    def text(self, column: Any) -> Any:
        """A column as text; marks what is not UTF-8."""
        values, broken = text(column)
        self.mark(broken, Reason.NOT_UTF8, column, not_utf8_note(self.setting))
        return values

    def ids(self, raw: RawRows, role: str, missing: Reason | None = None) -> Any:
        """A column as ids; marks what is not UTF-8 or has lost digits and, with a reason for it, what is missing."""
        column = raw.columns.get(role)
        if column is None:
            return pa.nulls(len(self.reason), pa.string())
        ids = id_texts(column)
        self.mark(ids.undecodable, Reason.NOT_UTF8, column, not_utf8_note(self.setting))
        self.mark(ids.digits_lost, Reason.ID_DIGITS_LOST, column, digits_lost_note(role, column))
        if missing is not None:
            self.mark(np.asarray(pc.is_null(ids.values)), missing)
        return ids.values


def _kinds(raw: RawRows, rules: EventRules, check: _RowCheck) -> NDArray[np.int8]:
    if "kind" not in raw.columns:
        return np.full(len(raw.lines), rules.default_kind, np.int8)
    names = pc.fill_null(check.text(raw.columns["kind"]), "").dictionary_encode()
    codes = [
        rules.kinds.get(name, rules.kinds.get(name.lower(), -1)) for name in names.dictionary.to_pylist()
    ]
    kinds: NDArray[np.int8] = np.array(codes, np.int8)[np.asarray(names.indices)]
    check.mark(kinds < 0, Reason.UNKNOWN_KIND, names)
    return kinds


def _positions(raw: RawRows, check: _RowCheck) -> Any:
    if "position" not in raw.columns:
        return pa.nulls(len(raw.lines), pa.int32())
    values, bad = integers(raw.columns["position"])
    check.mark(bad, Reason.BAD_POSITION, raw.columns["position"])
    inside = pc.and_(pc.greater_equal(values, 0), pc.less(values, 2**31))  # some logs write -1 for none
    return pc.cast(pc.if_else(inside, values, pa.scalar(None, pa.int64())), pa.int32())


def _times(column: Any, rules: EventRules, check: _RowCheck) -> NDArray[np.int64]:
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        column = check.text(column)
    times, readable = parse_times(
        column, rules.time_unit, pattern=rules.time_format, origin=rules.time_origin
    )
    early = times < rules.min_time
    faults = [
        (Reason.BAD_TIME, ~readable),
        (Reason.NEGATIVE_TIME, early & (times < 0)),
        (Reason.IMPOSSIBLE_TIME, early),
        (Reason.FUTURE_TIME, times > rules.max_time),
    ]
    if not readable.all() and not rules.time_format:
        faults.insert(0, (Reason.TIME_DIGITS_LOST, ~readable & digits_lost(column)))
    if rules.time_unit == "auto" and not rules.time_format and rules.min_time < SMALLEST_AUTO * 1000:
        faults.insert(-1, (Reason.IMPOSSIBLE_TIME, small_numbers(column)))
    for reason, wrong in faults:
        check.mark(wrong, reason, column, _explain(rules.time_notes, reason, times))
    return times


def _explain(notes: TimeNotes, reason: Reason, times: NDArray[np.int64]) -> Callable[[str, int], str]:
    return lambda value, row: notes.explain(reason, value, int(times[row]))


def _rejects(raw: RawRows, check: _RowCheck, chunk: int) -> pa.Table:
    bad = np.flatnonzero(check.reason >= 0)
    lines = [int(raw.lines[row]) for row in bad] + [line for line, _ in raw.malformed]
    reasons = [int(check.reason[row]) for row in bad] + [REASON_CODES[Reason.MALFORMED_ROW]] * len(
        raw.malformed
    )
    details = [check.detail.get(int(row), "") for row in bad] + [
        shown(row, _DETAIL_LENGTH) for _, row in raw.malformed
    ]
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
