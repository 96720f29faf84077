"""Stage: bring each user's events together."""

from collections.abc import Sequence
from typing import Any

import ray

from visrec.data.ranges import RANGE, num_ranges, number_ranges, range_starts
from visrec.data.stages.quiet import quiet_ray_data
from visrec.data.stages.tasks import in_order, run_tasks


def by_user(blocks: Sequence[Any], sample: Sequence[str], num_events: int, *, integers: bool) -> list[Any]:
    """Shuffle blocks of events so that all of a user's events are in one block.

    Ray Data moves the rows: a sort by the number of the range, with a boundary between any two ranges.

    Args:
        blocks: References of tables with a `user_id`.
        sample: User ids of some events.
        num_events: Rows of all blocks.
        integers: Whether all user ids are integers.

    Returns:
        References of tables, one a range of users, in the natural order of their ids. Some may be empty.
    """
    num = num_ranges(num_events)
    starts = range_starts(sample, num, integers=integers)
    numbered = in_order(run_tasks(number_ranges, ((block, starts, integers) for block in blocks)))
    with quiet_ray_data():
        ranges = ray.data.from_arrow_refs(numbered).sort(RANGE, boundaries=list(range(1, num)))
        return [block for bundle in ranges.iter_internal_ref_bundles() for block in bundle.block_refs]
