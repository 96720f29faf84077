"""Running many Ray tasks, a bounded number at a time, and telling a user's mistake from a fault of ours."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import ray
from ray.data import DataContext
from ray.exceptions import RayTaskError

from visrec.errors import ClusterError, VisrecError

IN_FLIGHT = 256
"""Tasks submitted and not yet finished: enough for a large cluster, and a bound on what waits."""


def run_tasks(
    function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], *, num_returns: int = 1
) -> Iterator[tuple[int, Any]]:
    """Call a function once for each tuple of arguments, as Ray tasks.

    Args:
        function: A plain function of a module, or a generator function.
        arguments: Of each call; references among them are resolved where the task runs. Taken as tasks finish.
        num_returns: References that a call gives (a generator function gives one for each value, whatever this says).

    Yields:
        The number of the call and its reference (of several returns or a generator: the list of references), in the
        order in which the tasks finish.

    Example:
        >>> [(n, fetch(r)) for n, r in run_tasks(max, [(1, 2), (5, 4)])]     # doctest: +SKIP
        [(0, 2), (1, 5)]
    """
    task = ray.remote(function) if num_returns == 1 else ray.remote(num_returns=num_returns)(function)
    remaining = enumerate(arguments)
    waiting: dict[Any, tuple[int, Any]] = {}
    try:
        while True:
            for number, values in islice(remaining, IN_FLIGHT - len(waiting)):
                result = task.remote(*values)
                waiting[_last(result)] = number, result
            if not waiting:
                return
            finished, _ = ray.wait(list(waiting), num_returns=1, fetch_local=False)
            number, result = waiting.pop(finished[0])
            yield number, list(result) if isinstance(result, ray.ObjectRefGenerator) else result
    finally:  # nobody waits for the others any more where the caller stops early
        for last, (_, result) in waiting.items():
            ray.cancel(result if isinstance(result, ray.ObjectRefGenerator) else last)


def fetch(reference: Any) -> Any:
    """The value of a reference; a `VisrecError` of the task is raised here as what it is.

    Raises:
        VisrecError: The task raised it.
        ClusterError: The task could not read or write a file.
    """
    try:
        return ray.get(reference)
    except RayTaskError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, VisrecError):
            raise cause from None
        if isinstance(cause, OSError):
            raise ClusterError(
                f"a Ray task cannot read or write its files ({cause}); the disk must have room, and with several nodes "
                "input and workspace must be where every node reaches them"
            ) from None
        raise


def in_order(results: Iterable[tuple[int, Any]]) -> list[Any]:
    """Values of numbered results, by number."""
    return [value for _, value in sorted(results, key=lambda result: result[0])]


def _last(result: Any) -> Any:
    """The reference that is there when the task has finished."""
    if isinstance(result, ray.ObjectRefGenerator):
        return result.completed()
    return result[-1] if isinstance(result, list) else result


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
