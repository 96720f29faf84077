"""Stage: shuffle events into ranges of users, in the natural order of their ids, of about equally many events."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.cluster.datasets import sort_into_ranges
from visrec.cluster.tasks import in_order, run_tasks
from visrec.ingestion.ids import natural_order, sort_key

RANGE = "range"
"""Column with the number of a row's range."""

_EVENTS_PER_RANGE = 1_000_000
_EVENTS_PER_SMALL_RANGE = 50_000
_MIN_RANGES = 8


def shuffle_by_user(
    blocks: Sequence[Any], sample: Sequence[str], num_events: int, *, integers: bool
) -> list[Any]:
    """Shuffle blocks of events so that all events of a user are in one block.

    Ray Data moves the rows: a sort by the number of the range, with a boundary between any two ranges.

    Args:
        blocks: References of tables with a `user_id`.
        sample: User ids of a sample of events.
        num_events: Rows of all blocks.
        integers: Whether all user ids are integers.

    Returns:
        References of tables, one a range of users, in the natural order of their ids. Some may be empty.
    """
    num = num_ranges(num_events)
    starts = range_starts(sample, num, integers=integers)
    numbered = in_order(run_tasks(number_ranges, ((block, starts, integers) for block in blocks)))
    return sort_into_ranges(numbered, RANGE, range(1, num))


def num_ranges(num_events: int) -> int:
    """Number of ranges for a log: large logs give blocks far below memory, small ones some parallelism.

    It depends on the number of events only, so that equal input gives equal files.
    """
    return max(
        2, min(_MIN_RANGES, num_events // _EVENTS_PER_SMALL_RANGE), -(-num_events // _EVENTS_PER_RANGE)
    )


def range_starts(sample: Sequence[str], num: int, *, integers: bool) -> list[Any]:
    """First user (as a sort key) of each range but the first.

    Args:
        sample: User ids of a sample of events: a user with more events is more often among them.
        num: Number of ranges.
        integers: Whether all user ids are integers.

    Example:
        >>> range_starts(["1", "1", "1", "2", "10", "11"], 2, integers=True)
        [2]
    """
    ids = pa.array(sample, pa.string())
    keys = sort_key(ids.take(pa.array(natural_order(ids, integers=integers))), integers=integers).to_pylist()
    return [keys[len(keys) * k // num] for k in range(1, num)]


def number_ranges(events: pa.Table, starts: Sequence[Any], integers: bool) -> pa.Table:
    """Add a column `RANGE` to events: the number of the range that each user is in.

    Example:
        >>> events = pa.table({"user_id": ["10", "2", "1"]})
        >>> number_ranges(events, [2], True).column("range").to_pylist()
        [1, 1, 0]
    """
    users = events.column("user_id").combine_chunks().dictionary_encode()
    keys = sort_key(users.dictionary, integers=integers).to_pylist()
    numbers = np.array([bisect_right(starts, key) for key in keys], np.int32)
    return events.append_column(RANGE, pa.array(numbers[np.asarray(users.indices)]))
