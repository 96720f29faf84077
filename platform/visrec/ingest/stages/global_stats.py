"""Stage: what must be known of all users together: the k-core, popularity, numbering, and the cuts in time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.cluster.tasks import fetch, in_order, run_tasks, share
from visrec.ingest.cleaning import CleanBlock
from visrec.ingest.global_stats import count_items, items_in_core, order_statistics, users_in_core


@dataclass(frozen=True, kw_only=True, slots=True)
class GlobalStats:
    """Who and what stays.

    Attributes:
        k: Least number of positives; 0 keeps all.
        alive: Whether each item of the catalogue stays, bool [I].
        num_positives: Of each item, int64 [I].
        first_user: Index of the first user of each block.
        num_users: Users of all blocks.
        cuts: Milliseconds from which events are validation, and from which test.
    """

    k: int
    kept_items: NDArray[np.bool_]
    num_positives: NDArray[np.int64]
    first_user: list[int]
    num_users: int
    cuts: tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Survey:
    num_users: int
    counts: NDArray[np.int64]
    first_time: int
    last_time: int


def kept_users(block: CleanBlock, kept_items: NDArray[np.bool_], k: int) -> NDArray[np.bool_]:
    """Which users of a block stay: those with `k` positives on items that stay; with k = 0 all: bool [U]."""
    if k == 0:
        return np.ones(len(block.user_ids), bool)
    first = block.column("first_positive")
    return users_in_core(
        block.column("user")[first], block.column("item")[first], kept_items, k, len(block.user_ids)
    )


def sequence_events(
    block: CleanBlock, kept_items: NDArray[np.bool_], users: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which events of a block are part of a sequence: first positives of what stays: bool [N]."""
    keep: NDArray[np.bool_] = (
        block.column("first_positive") & kept_items[block.column("item")] & users[block.column("user")]
    )
    return keep


def _survey(block: CleanBlock, kept_items: NDArray[np.bool_], k: int) -> _Survey:
    users = kept_users(block, kept_items, k)
    first = block.column("first_positive")
    counts = count_items(block.column("user")[first], block.column("item")[first], kept_items, users)
    times = block.column("time")[sequence_events(block, kept_items, users)]
    first_time, last_time = (int(times.min()), int(times.max())) if len(times) else (0, 0)
    return _Survey(num_users=int(users.sum()), counts=counts, first_time=first_time, last_time=last_time)


def _count_below(
    block: CleanBlock, kept_items: NDArray[np.bool_], k: int, edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    times = block.column("time")[sequence_events(block, kept_items, kept_users(block, kept_items, k))]
    return np.searchsorted(np.sort(times), edges).astype(np.int64)


def global_stats(
    blocks: Sequence[Any],
    kept_items: NDArray[np.bool_],
    k: int,
    *,
    shares: tuple[float, float],
    on_pass: Callable[[int], None],
) -> GlobalStats:
    """Find who and what stays.

    Args:
        blocks: References of `CleanBlock`.
        alive: Items to start from, bool [I].
        k: Least number of positives of each user and item; 0 keeps all.
        shares: Share of positives, by time, in validation and in test.
        on_pass: Told 1 after each pass over all users.
    """

    def survey(items: NDArray[np.bool_]) -> list[_Survey]:
        surveys = _surveys(blocks, items, k)
        on_pass(1)
        return surveys

    if k:
        kept_items = items_in_core(lambda items: _item_counts(survey(items), len(kept_items)), kept_items, k)
    surveys = survey(kept_items)
    offsets = np.cumsum([0, *(s.num_users for s in surveys)]).tolist()
    cuts = _cuts(blocks, kept_items, k, surveys, shares)
    return GlobalStats(
        k=k,
        kept_items=kept_items,
        num_positives=_item_counts(surveys, len(kept_items)),
        first_user=offsets[:-1],
        num_users=offsets[-1],
        cuts=cuts,
    )


def _surveys(blocks: Sequence[Any], kept_items: NDArray[np.bool_], k: int) -> list[_Survey]:
    shared = share(kept_items)
    found = run_tasks(_survey, ((block, shared, k) for block in blocks))
    return in_order((number, fetch(reference)) for number, reference in found)


def _item_counts(surveys: Sequence[_Survey], num_items: int) -> NDArray[np.int64]:
    return sum((s.counts for s in surveys), np.zeros(num_items, np.int64))


def _cuts(
    blocks: Sequence[Any],
    kept_items: NDArray[np.bool_],
    k: int,
    surveys: Sequence[_Survey],
    shares: tuple[float, float],
) -> tuple[int, int]:
    """The times of the events at which validation and test begin, all in order of time."""
    total = int(sum(s.counts.sum() for s in surveys))
    if not total:
        return 0, 0
    shared = share(kept_items)

    def count_below(edges: NDArray[np.int64]) -> NDArray[np.int64]:
        counts = run_tasks(_count_below, ((block, shared, k, edges) for block in blocks))
        return sum((fetch(reference) for _, reference in counts), np.zeros(len(edges), np.int64))

    validation, test = shares
    ranks = [int((1 - validation - test) * total), int((1 - test) * total)]
    timed = [s for s in surveys if s.counts.any()]
    low, high = min(s.first_time for s in timed), max(s.last_time for s in timed)
    found = order_statistics(count_below, ranks, low, high)
    return found[0], found[1]
