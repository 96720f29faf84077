"""Tables as logs: columns of users, items, times and kinds, by their names and by what they hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from visrec.config.base import EventKind
from visrec.inspection.kinds import KindReading, kind_of_name, read_kinds
from visrec.inspection.names import name_rank, named, plain_name
from visrec.inspection.readings import LogReading, OpenTable
from visrec.inspection.samples import Column
from visrec.inspection.times import TimeReading, read_times

_EVENT_ID_SHARE = 0.999
_MAX_RATINGS = 101
_MAX_UNKNOWN_KINDS = 20
_ORDER_NAMES = {
    *(
        "orderid",
        "ordernumber",
        "orderno",
        "invoiceid",
        "invoiceno",
        "invoicenumber",
        "invoice",
        "transactionid",
    ),
    *(
        "basketid",
        "receiptid",
        "receiptnumber",
        "checkoutid",
        "bestellnummer",
        "rechnungsnummer",
        "numerocommande",
    ),
}
"""Names of columns that only logs of purchases have."""
_RIVAL_SHARE = 0.8


def overlap(ids: Any, pool: Any) -> float:
    """Share of different ids that are in a pool.

    Example:
        >>> overlap(pa.array(["a", "b"]), pa.array(["b", "c"]))
        0.5
    """
    if ids is None or not len(ids) or not len(pool):
        return 0.0
    return float(pc.sum(pc.is_in(ids, value_set=pool)).as_py()) / len(ids)


def read_log(table: OpenTable, pools: Sequence[Any]) -> LogReading | None:
    """A table as a log, or None where it has no column of users, of items or of times.

    Args:
        table: The table.
        pools: Ids that may be those of items: keys of other tables, names of pictures.
    """
    columns = table.sample.columns
    time = _time(columns.values())
    users, sessions = named("user_id", table.names), named("session_id", table.names)
    user = next(iter([*users, *sessions]), None)
    if time is None or user is None:
        return None
    shares = _item_shares(table, {user, time.column}, pools)
    if not shares:
        return None
    item = max(shares, key=lambda name: round(shares[name], 2))  # the first of equal ones
    taken = {user, item, time.column}
    kinds = _kinds(table, taken)
    kind, evidence = _kind_of_all(table)
    other = {}
    if users and sessions:
        other["session_id"] = sessions[0]
    event_id = _event_id(table, taken)
    if event_id:
        other["event_id"] = event_id
    return LogReading(
        table=table,
        user=user,
        item=item,
        time=time,
        kinds=kinds,
        default_kind=kind,
        kind_evidence=evidence,
        rating=None if kinds else _rating(table, taken),
        user_is_session=not users,
        unknown_kinds=None if kinds else _unknown_kinds(table, taken),
        other=other,
        rival_items=_rival_items(table, item, shares),
        item_share=shares[item],
    )


def _kind_of_all(table: OpenTable) -> tuple[EventKind, str | None]:
    """Kind of all rows of a log without a kind column, and what says so."""
    by_name = kind_of_name(table.found.name)
    if by_name is not None and by_name != "comment":
        return by_name, f"as the name {table.found.name} says"
    orders = [name for name in table.names if plain_name(name) in _ORDER_NAMES]
    if orders:
        return "purchase", f"as it has orders ({orders[0]})"
    return "click", None


def _time(columns: Iterable[Column]) -> TimeReading | None:
    """The time column: the best name first, then whatever holds times."""
    readings = [r for c in columns if (r := read_times(c))]

    def preference(reading: TimeReading) -> tuple[bool, int]:
        rank = name_rank("time", reading.column)
        return (rank is None, 0 if rank is None else rank)

    # Numbers in a column of another name may be ids.
    telling = [r for r in readings if not r.is_number or name_rank("time", r.column) is not None]
    return min(telling, key=preference, default=None)


def _item_shares(table: OpenTable, taken: set[str], pools: Sequence[Any]) -> dict[str, float]:
    """The columns named like items, the most telling first, and how much of each is known from elsewhere."""
    return {
        name: max((overlap(table.sample.columns[name].distinct_ids, pool) for pool in pools), default=0.0)
        for name in named("item_id", table.names)
        if name not in taken
    }


def _rival_items(table: OpenTable, item: str, shares: Mapping[str, float]) -> dict[str, float]:
    """Columns that are known nearly as well as the chosen one, and differ from it."""
    chosen = table.sample.columns[item].ids
    return {
        name: share
        for name, share in shares.items()
        if name != item
        and share > _RIVAL_SHARE * shares[item]
        and not table.sample.columns[name].ids.equals(chosen)
    }


def _unknown_kinds(table: OpenTable, taken: set[str]) -> str | None:
    """A column named like one of kinds, with few different values."""
    for name in named("kind", table.names):
        if name in taken or plain_name(name) == "type":  # a type of what?
            continue
        if 1 < len(table.sample.columns[name].distinct_texts) <= _MAX_UNKNOWN_KINDS:
            return name
    return None


def _kinds(table: OpenTable, taken: set[str]) -> KindReading | None:
    """A column named like one of kinds with a known kind in it, or any other with nothing but known kinds."""
    by_name = named("kind", table.names)
    for name in [*by_name, *(n for n in table.names if n not in by_name)]:
        if name in taken:
            continue
        reading = read_kinds(name, table.sample.columns[name].distinct_texts)
        if reading and (name in by_name or (len(reading.kinds) > 1 and not reading.unknown)):
            return reading
    return None


def _event_id(table: OpenTable, taken: set[str]) -> str | None:
    """A column of event ids that no two rows share."""
    for name in named("event_id", table.names):
        column = table.sample.columns[name]
        if name not in taken and len(column.distinct_ids) > _EVENT_ID_SHARE * table.sample.num_rows:
            return name
    return None


def _rating(table: OpenTable, taken: set[str]) -> str | None:
    for name in named("rating", table.names):
        column = table.sample.columns[name]
        if name not in taken and column.is_number and 1 < len(column.distinct_texts) <= _MAX_RATINGS:
            return name
    return None


def choose_logs(candidates: Sequence[LogReading]) -> tuple[list[LogReading], list[LogReading]]:
    """The candidates that tell most of events, and those that tell as much but not of another kind of event.

    Returns:
        The logs, and where these are no choice of the data, all between which a person must choose.
    """
    strengths = [4 * bool(c.kinds) + 2 * bool(c.rating) + 2 * bool(c.kind_evidence) for c in candidates]
    best = [c for c, s in zip(candidates, strengths, strict=True) if s == max(strengths, default=0)]
    if len(best) > 1 and len({c.default_kind for c in best if not c.kinds}) < len(best):
        largest = max(best, key=lambda c: c.table.found.size)
        return [largest], best
    return best, []
