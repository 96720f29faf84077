"""Cleaning of one block of users: duplicates, bots, unknown items; merging of visits; ordering."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.ingestion.event_ids import SharedEventIds, items_of_events, shared_event_ids
from visrec.ingestion.ids import natural_order
from visrec.ingestion.quarantine import REASON_CODES, REJECT_SCHEMA, Reason
from visrec.ingestion.rules import bots, exact_duplicates, first_known, merge, near_duplicates
from visrec.ingestion.tie_order import id_numbers, tie_keys

CLEAN_SCHEMA = pa.schema(
    [
        ("user", pa.int32()),  # row of the block's `user_ids`
        ("item", pa.int32()),  # row of the catalogue
        ("kind", pa.int8()),
        ("weight", pa.float32()),
        ("time", pa.int64()),
        ("position", pa.int32()),
        ("session_id", pa.string()),
        ("first_positive", pa.bool_()),  # whether it is the user's first positive on the item
        ("chunk", pa.int32()),
        ("line", pa.int64()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CleaningRules:
    """Parameters of cleaning.

    Attributes:
        near_duplicate_window: Milliseconds.
        merge_window: Milliseconds.
        events_per_minute: Users above this rate are bots.
        weights: Weight of each kind by code, float32.
        has_picture: Whether each item of the catalogue has a picture, bool [I].
        integer_users: Whether all user ids are integers.
        item_numbers: Number of each item of the catalogue in the order of ties, uint64 [I].
        tie_seed: Seed of the order of ties.
    """

    near_duplicate_window: float
    merge_window: float
    events_per_minute: float
    weights: NDArray[np.float32]
    has_picture: NDArray[np.bool_]
    integer_users: bool
    item_numbers: NDArray[np.uint64]
    tie_seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanBlock:
    """Some users and all of their events that are kept.

    Attributes:
        user_ids: In natural order, a pyarrow string array.
        events: `CLEAN_SCHEMA`, in order of (user, time), ties by `tie_keys`, events on one item by kind.
    """

    user_ids: Any
    events: pa.Table

    def column(self, name: str) -> NDArray[Any]:
        """A column without nulls as an array."""
        return np.asarray(self.events.column(name))


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanResult:
    """Result of cleaning one block.

    Attributes:
        block: What is kept.
        rejects: What is rejected, `REJECT_SCHEMA`.
        num_merged: Events that were merged into others, and are in neither.
        num_unrated_users: Users above the rate of bots whose times are too coarse to tell a rate.
        shared_event_ids: Events whose event id is that of other events, too.
    """

    block: CleanBlock
    rejects: pa.Table
    num_merged: int
    num_unrated_users: int
    shared_event_ids: SharedEventIds = field(default_factory=SharedEventIds)


def clean(events: pa.Table, rules: CleaningRules) -> CleanResult:
    """Clean all events of some users.

    In this order: exact duplicates, bots (so that an upload that was repeated makes none), unknown items, near
    duplicates, merging.

    Args:
        events: `EVENT_SCHEMA`, any order; all events of each user.
        rules: Parameters of cleaning.
    """
    events = events.combine_chunks()
    work = _WorkingSet(events, rules.integer_users)
    with_ids = bool((work.event >= 0).any())
    items = items_of_events(work.events) if with_ids else work.item
    work.reject(exact_duplicates(work.user, items, work.kind, work.time, work.event), Reason.DUPLICATE)
    left = work.left
    shared = shared_event_ids(work.events, work.user, work.event, left) if with_ids else SharedEventIds()
    is_bot = np.zeros(len(work.user_ids), bool)
    found, unrated = bots(work.user[left], work.time[left], rules.events_per_minute)
    is_bot[: len(found)] = found
    work.reject(is_bot[work.user], Reason.BOT, work.user_ids.take(pa.array(work.user)))
    work.reject(work.item < 0, Reason.UNKNOWN_ITEM, work.events.column("item_id").combine_chunks())
    work.reject(~rules.has_picture[np.maximum(work.item, 0)] & (work.item >= 0), Reason.ITEM_WITHOUT_IMAGE)
    left = work.left
    near = near_duplicates(
        work.user[left], work.item[left], work.kind[left], work.time[left], rules.near_duplicate_window
    )
    work.reject_rows(left[near], Reason.NEAR_DUPLICATE)
    left = work.left
    weight = rules.weights[work.kind]
    representative = merge(
        work.user[left], work.item[left], work.time[left], weight[left], rules.merge_window
    )
    return CleanResult(
        block=_block(work, left, rules, representative),
        rejects=work.rejects(),
        num_merged=int((representative != np.arange(len(left))).sum()),
        num_unrated_users=int(unrated.sum()),
        shared_event_ids=shared,
    )


class _WorkingSet:
    """The columns of a block as arrays, in the order of the input, and the reason of each row rejected so far."""

    def __init__(self, events: pa.Table, integer_users: bool) -> None:
        order = pc.sort_indices(events, [("chunk", "ascending"), ("line", "ascending")])
        self.events = events.take(order)
        users = self.events.column("user_id").combine_chunks().dictionary_encode()
        natural = natural_order(users.dictionary, integers=integer_users)
        rank = np.empty(len(natural), np.int32)
        rank[natural] = np.arange(len(natural), dtype=np.int32)
        self.user_ids = users.dictionary.take(pa.array(natural))
        self.user = rank[np.asarray(users.indices)]
        self.item = np.asarray(self.events.column("item"))
        self.kind = np.asarray(self.events.column("kind"))
        self.time = np.asarray(self.events.column("time"))
        event_ids = self.events.column("event_id").combine_chunks().dictionary_encode()
        self.event = np.asarray(pc.fill_null(event_ids.indices, -1), np.int32)
        self.reason = np.full(len(self.user), -1, np.int8)
        self.detail = pa.nulls(len(self.user), pa.string())

    @property
    def left(self) -> NDArray[np.int64]:
        """Rows that have not been rejected yet."""
        return np.flatnonzero(self.reason < 0)

    def reject(self, wrong: NDArray[np.bool_], reason: Reason, detail: Any = None) -> None:
        """Reject rows by a mask, unless they have been before; with the row's `detail`."""
        new = wrong & (self.reason < 0)
        self.reason[new] = REASON_CODES[reason]
        if detail is not None:
            self.detail = pc.if_else(pa.array(new), detail, self.detail)

    def reject_rows(self, rows: NDArray[np.int64], reason: Reason) -> None:
        """Reject rows that have not been rejected before."""
        self.reason[rows] = REASON_CODES[reason]

    def rejects(self) -> pa.Table:
        """The rejected rows."""
        columns = {
            "chunk": self.events.column("chunk"),
            "line": self.events.column("line"),
            "reason": pa.array(self.reason),
            "detail": pc.fill_null(self.detail, ""),
        }
        return pa.table(columns, schema=REJECT_SCHEMA).filter(pa.array(self.reason >= 0))


def _block(
    work: _WorkingSet, left: NDArray[np.int64], rules: CleaningRules, representative: NDArray[np.int64]
) -> CleanBlock:
    """The representatives in order; users without events are left out."""
    weight = rules.weights[work.kind]
    position = np.asarray(pc.fill_null(work.events.column("position"), -1), np.int64)[left]
    position = first_known(position, representative, work.time[left], -1)
    kept = representative == np.arange(len(left))
    rows, position = left[kept], position[kept]
    user, item = work.user[rows], work.item[rows]
    key = tie_keys(rules.tie_seed, id_numbers(work.user_ids)[user], rules.item_numbers[item])
    order = np.lexsort((work.kind[rows], item, key, work.time[rows], user))
    rows, position = rows[order], position[order]
    users, user = np.unique(work.user[rows], return_inverse=True)
    table = pa.table(
        {
            "user": pa.array(user.astype(np.int32)),
            "item": pa.array(work.item[rows]),
            "kind": pa.array(work.kind[rows]),
            "weight": pa.array(weight[rows]),
            "time": pa.array(work.time[rows]),
            "position": pa.array(position.astype(np.int32), mask=position < 0),
            "session_id": work.events.column("session_id").take(pa.array(rows)),
            "first_positive": pa.array(_first_positives(user, work.item[rows], weight[rows])),
            "chunk": work.events.column("chunk").take(pa.array(rows)),
            "line": work.events.column("line").take(pa.array(rows)),
        },
        schema=CLEAN_SCHEMA,
    )
    return CleanBlock(user_ids=work.user_ids.take(pa.array(users)), events=table.combine_chunks())


def _first_positives(
    user: NDArray[np.int64], item: NDArray[np.int32], weight: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Whether each event is the first positive of its user on its item; events are in order of (user, time)."""
    positives = np.flatnonzero(weight > 0)
    pairs = user[positives].astype(np.int64) << 32 | item[positives]
    _, firsts = np.unique(pairs, return_index=True)
    out = np.zeros(len(user), bool)
    out[positives[firsts]] = True
    return out
