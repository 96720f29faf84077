"""Ray Data: moving rows between blocks, without its own output."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.data import DataContext


@contextmanager
def quiet_ray_data() -> Iterator[None]:
    """Turn off progress bars and log messages of Ray Data within the block: the command shows its own.

    Example:
        >>> with quiet_ray_data():                                              # doctest: +SKIP
        ...     rows = ray.data.range(3).take_all()
    """
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


def sort_into_ranges(tables: Sequence[Any], column: str, boundaries: Sequence[int]) -> list[Any]:
    """Sort the rows of many tables by an integer column, into one table a range: Ray Data's all-to-all exchange.

    Args:
        tables: References of Arrow tables.
        column: The column to sort by.
        boundaries: First value of each range but the first, ascending.

    Returns:
        References of `len(boundaries) + 1` tables, in order of the ranges. Some may be empty.
    """
    with quiet_ray_data():
        ranges = ray.data.from_arrow_refs(list(tables)).sort(column, boundaries=list(boundaries))
        return [block for bundle in ranges.iter_internal_ref_bundles() for block in bundle.block_refs]
