"""Stage: bring each user's events together, ranges of users in the natural order of their ids."""

import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import ray
from ray.data import DataContext

from visrec.data.ids import natural_order, sort_key

_EVENTS_PER_RANGE = 1_000_000
_EVENTS_PER_SMALL_RANGE = 25_000
_MIN_RANGES = 8
_RANGE = "range"


def num_ranges(num_events: int) -> int:
    """How many ranges of users a log of so many events is cut into: blocks that fit into memory many times, and some
    parallelism for small logs. Depends on nothing else, so that equal input gives equal files."""
    return max(
        2, min(_MIN_RANGES, num_events // _EVENTS_PER_SMALL_RANGE), -(-num_events // _EVENTS_PER_RANGE)
    )


def range_starts(sample: Sequence[str], num: int, *, integers: bool) -> list[Any]:
    """First user (as a sort key) of each range but the first, so that each has about as many events.

    Example:
        >>> range_starts(["1", "1", "1", "2", "10", "11"], 2, integers=True)
        [2]
    """
    ids = pa.array(sample, pa.string())
    keys = sort_key(ids.take(pa.array(natural_order(ids, integers=integers))), integers=integers).to_pylist()
    return [keys[len(keys) * k // num] for k in range(1, num)]


def by_user(blocks: Sequence[Any], sample: Sequence[str], num_events: int, *, integers: bool) -> list[Any]:
    """Shuffle blocks of events so that all of a user's events are in one block.

    Ray Data moves the rows: a sort by the number of the range, with a boundary between any two ranges.

    Args:
        blocks: References of tables with a `user_id`.
        sample: User ids of some events.
        num_events: Rows of all blocks.
        integers: Whether all user ids are integers.

    Returns:
        References of tables, one a range, in the order of the ranges; some may be empty.
    """
    num = num_ranges(num_events)
    starts = range_starts(sample, num, integers=integers)

    def number_ranges(events: pa.Table) -> pa.Table:
        users = events.column("user_id").combine_chunks().dictionary_encode()
        keys = sort_key(users.dictionary, integers=integers).to_pylist()
        numbers = np.array([bisect_right(starts, key) for key in keys], np.int32)
        return events.append_column(_RANGE, pa.array(numbers[np.asarray(users.indices)]))

    with _quiet():
        numbered = ray.data.from_arrow_refs(list(blocks)).map_batches(
            number_ranges, batch_size=None, batch_format="pyarrow"
        )
        ranges = numbered.sort(_RANGE, boundaries=list(range(1, num)))
        return [block for bundle in ranges.iter_internal_ref_bundles() for block in bundle.block_refs]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Ray Data's own progress bars and notes: the command shows its own."""
    context = DataContext.get_current().copy()
    context.enable_progress_bars = False
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with DataContext.current(context):
            yield
    finally:
        logger.setLevel(level)
