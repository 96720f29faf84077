"""Bounded maps of Ray tasks, with the errors of tasks unwrapped."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import ray

from visrec.cluster.errors import unwrapped_errors
from visrec.cluster.session import num_cpus

IN_FLIGHT = 256
"""Default bound of tasks that are submitted and not yet finished: enough for a large cluster."""
TASKS_PER_CPU = 2
"""Bound of `map_tasks` for each CPU of the cluster: keeps it busy, and keeps few results in the object store."""

T = TypeVar("T")


def run_tasks(
    function: Callable[..., Any],
    arguments: Iterable[tuple[Any, ...]],
    *,
    num_returns: int = 1,
    limit: int = IN_FLIGHT,
    ordered: bool = False,
) -> Iterator[tuple[int, Any]]:
    """Call a function once for each tuple of arguments, as Ray tasks, a bounded number of them at a time.

    Args:
        function: A plain function of a module, or a generator function.
        arguments: Of each call; references among them are resolved where the task runs. Consumed as tasks finish.
        num_returns: References that a call gives (a generator function gives one for each value, whatever this says).
        limit: Most tasks in flight.
        ordered: Yield in the order of the calls, else in the order in which the tasks finish.

    Yields:
        The number of the call and its reference (of several returns or a generator: the list of references). The task
        has finished; whether it failed shows when its reference is fetched, of a generator the last one.

    Example:
        >>> [(n, fetch(r)) for n, r in run_tasks(max, [(1, 2), (5, 4)])]     # doctest: +SKIP
        [(0, 2), (1, 5)]
    """
    task = ray.remote(function) if num_returns == 1 else ray.remote(num_returns=num_returns)(function)
    remaining = enumerate(arguments)
    waiting: dict[Any, tuple[int, Any]] = {}
    try:
        while True:
            for number, values in islice(remaining, limit - len(waiting)):
                result = task.remote(*values)
                waiting[_last(result)] = number, result
            if not waiting:
                return
            candidates = list(islice(waiting, 1)) if ordered else list(waiting)
            finished, _ = ray.wait(candidates, num_returns=1, fetch_local=False)
            number, result = waiting.pop(finished[0])
            yield number, list(result) if isinstance(result, ray.ObjectRefGenerator) else result
    finally:  # where the caller stops early, nobody needs the others
        for last, (_, result) in waiting.items():
            ray.cancel(result if isinstance(result, ray.ObjectRefGenerator) else last)


def map_tasks(function: Callable[..., T], arguments: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    """Values of a function for each tuple of arguments, computed by Ray tasks, in the order of the arguments.

    At most `TASKS_PER_CPU` results a CPU of the cluster are being computed or wait to be taken.

    Raises:
        VisrecError: A task raised it.
        ClusterError: A task could not read or write a file.

    Example:
        >>> list(map_tasks(max, [(1, 2), (5, 4)]))                           # doctest: +SKIP
        [2, 5]
    """
    limit = TASKS_PER_CPU * max(int(num_cpus()), 1)
    for _, reference in run_tasks(function, arguments, limit=limit, ordered=True):
        yield fetch(reference)


def start_task(function: Callable[..., Any], *arguments: Any, num_returns: int = 1) -> Any:
    """Start one task now; its reference, or the list of them where it has several returns."""
    return ray.remote(num_returns=num_returns)(function).remote(*arguments)


def fetch(reference: Any) -> Any:
    """The value of a reference.

    Raises:
        VisrecError: The task raised it.
        ClusterError: The task could not read or write a file.
    """
    with unwrapped_errors():
        return ray.get(reference)


def share(value: Any) -> Any:
    """Store a value on the cluster once; tasks that are given the returned reference as an argument get the value."""
    return ray.put(value)


def in_order(results: Iterable[tuple[int, T]]) -> list[T]:
    """Values of numbered results, by number.

    Example:
        >>> in_order([(1, "b"), (0, "a")])
        ['a', 'b']
    """
    return [value for _, value in sorted(results, key=lambda result: result[0])]


def _last(result: Any) -> Any:
    """The reference that is there when the task has finished."""
    if isinstance(result, ray.ObjectRefGenerator):
        return result.completed()
    return result[-1] if isinstance(result, list) else result
