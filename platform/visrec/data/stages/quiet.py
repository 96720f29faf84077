"""Ray Data without its own output."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ray.data import DataContext


@contextmanager
def quiet_ray_data() -> Iterator[None]:
    """No progress bars and notes of Ray Data within the block: the command shows its own.

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
