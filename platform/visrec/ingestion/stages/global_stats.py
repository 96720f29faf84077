"""Stage: global statistics: k-core, popularity, user offsets of the blocks, time cuts of the global-time split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.cluster.tasks import fetch, in_order, run_tasks, share
from visrec.ingestion.cleaning import CleanBlock
from visrec.ingestion.k_core import count_items, items_in_core, kept_users, sequence_events

NUM_EDGES = 1024
"""Edges that one counting round of `order_statistics` cuts a range at, at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GlobalStats:
    """Statistics over all users: kept items, popularity, user offsets, time cuts.

    Attributes:
        k: Least number of positives of each user and item; 0 keeps all.
        kept_items: Whether each item of the source catalogue is kept, bool [I].
        num_positives: Positives of each item in all sequences, int64 [I].
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


def global_stats(
    blocks: Sequence[Any],
    items: NDArray[np.bool_],
    k: int,
    *,
    shares: tuple[float, float],
    on_pass: Callable[[int], None],
) -> GlobalStats:
    """Compute the statistics in passes over all blocks.

    Args:
        blocks: References of `CleanBlock`.
        items: Items to start from, bool [I].
        k: Least number of positives of each user and item; 0 keeps all.
        shares: Share of positives, by time, in validation and in test.
        on_pass: Called with 1 after each pass over all users.
    """

    def survey(kept_items: NDArray[np.bool_]) -> list[_Survey]:
        surveys = _survey_blocks(blocks, kept_items, k)
        on_pass(1)
        return surveys

    kept_items = items
    if k:
        kept_items = items_in_core(lambda left: _item_counts(survey(left), len(items)), items, k)
    surveys = survey(kept_items)
    offsets = np.cumsum([0, *(s.num_users for s in surveys)]).tolist()
    return GlobalStats(
        k=k,
        kept_items=kept_items,
        num_positives=_item_counts(surveys, len(items)),
        first_user=offsets[:-1],
        num_users=offsets[-1],
        cuts=_time_cuts(blocks, kept_items, k, surveys, shares),
    )


def order_statistics(
    count_below: Callable[[NDArray[np.int64]], NDArray[np.int64]], ranks: Sequence[int], low: int, high: int
) -> list[int]:
    """The numbers at some ranks of the sorted whole, found by counting, without collecting the numbers.

    The range in which each of them lies is cut into about a thousand parts by one round of counting, until it is a
    single number: five rounds for times in milliseconds.

    Args:
        count_below: From sorted edges to how many of all numbers are below each.
        ranks: Ranks from 0; each must be smaller than the count of all numbers.
        low: Not above the smallest number.
        high: Not below the largest number.

    Example:
        >>> numbers = np.array([5, 1, 9, 9])
        >>> order_statistics(lambda edges: np.searchsorted(np.sort(numbers), edges), [0, 2], 1, 9)
        [1, 9]
    """
    ranges = [(low, high)] * len(ranks)
    while any(first < last for first, last in ranges):
        edges = np.unique(np.concatenate([_edges(first, last) for first, last in ranges]))
        below = count_below(edges)
        ranges = [_narrow(edges, below, rank, span) for rank, span in zip(ranks, ranges, strict=True)]
    return [first for first, _ in ranges]


def _edges(first: int, last: int) -> NDArray[np.int64]:
    steps = min(NUM_EDGES, last - first)
    return np.array(
        [first + (last - first) * k // steps for k in range(1, steps + 1)] if steps else [], np.int64
    )


def _narrow(
    edges: NDArray[np.int64], below: NDArray[np.int64], rank: int, span: tuple[int, int]
) -> tuple[int, int]:
    """The number at `rank` is at least each edge with `rank` or fewer below it, and less than every other edge."""
    k = int(np.searchsorted(below, rank, side="right"))
    first = max(span[0], int(edges[k - 1])) if k else span[0]
    last = min(span[1], int(edges[k]) - 1) if k < len(edges) else span[1]
    return first, last


@dataclass(frozen=True, kw_only=True, slots=True)
class _Survey:
    """Counts of one block: users kept, positives of each item, range of times."""

    num_users: int
    counts: NDArray[np.int64]
    first_time: int
    last_time: int


def _survey_blocks(blocks: Sequence[Any], kept_items: NDArray[np.bool_], k: int) -> list[_Survey]:
    shared = share(kept_items)
    surveys = run_tasks(_survey, ((block, shared, k) for block in blocks))
    return in_order((number, fetch(reference)) for number, reference in surveys)


def _survey(block: CleanBlock, kept_items: NDArray[np.bool_], k: int) -> _Survey:
    users = kept_users(block, kept_items, k)
    first = block.column("first_positive")
    counts = count_items(block.column("user")[first], block.column("item")[first], kept_items, users)
    times = block.column("time")[sequence_events(block, kept_items, users)]
    first_time, last_time = (int(times.min()), int(times.max())) if len(times) else (0, 0)
    return _Survey(num_users=int(users.sum()), counts=counts, first_time=first_time, last_time=last_time)


def _item_counts(surveys: Sequence[_Survey], num_items: int) -> NDArray[np.int64]:
    return sum((s.counts for s in surveys), np.zeros(num_items, np.int64))


def _time_cuts(
    blocks: Sequence[Any],
    kept_items: NDArray[np.bool_],
    k: int,
    surveys: Sequence[_Survey],
    shares: tuple[float, float],
) -> tuple[int, int]:
    """Times of the events at which validation and test begin, of all events of sequences in order of time."""
    total = int(sum(s.counts.sum() for s in surveys))
    if not total:
        return 0, 0
    shared = share(kept_items)

    def count_below(edges: NDArray[np.int64]) -> NDArray[np.int64]:
        counts = run_tasks(_count_below, ((block, shared, k, edges) for block in blocks))
        return sum((fetch(reference) for _, reference in counts), np.zeros(len(edges), np.int64))

    validation, test = shares
    ranks = [int((1 - validation - test) * total), int((1 - test) * total)]
    with_events = [s for s in surveys if s.counts.any()]
    low, high = min(s.first_time for s in with_events), max(s.last_time for s in with_events)
    validation_from, test_from = order_statistics(count_below, ranks, low, high)
    return validation_from, test_from


def _count_below(
    block: CleanBlock, kept_items: NDArray[np.bool_], k: int, edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    times = block.column("time")[sequence_events(block, kept_items, kept_users(block, kept_items, k))]
    return np.searchsorted(np.sort(times), edges).astype(np.int64)
