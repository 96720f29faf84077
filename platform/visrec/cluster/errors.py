"""Errors of Ray, unwrapped: Ray wraps what a task, an actor or a training worker raises in exceptions of its own.

A `VisrecError` that was raised in another process is raised here as itself, so that the command prints its one line
and the server answers with its status, wherever the work was done.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ray.exceptions import RayError, RayTaskError

from visrec.errors import ClusterError, VisrecError, first_line


def cause_of(error: BaseException) -> BaseException:
    """The exception that the code in the other process raised; the error itself where Ray has wrapped nothing.

    Args:
        error: A `RayTaskError` of a task, actor or Serve handle, or a `TrainingFailedError` of Ray Train.
    """
    if isinstance(error, RayTaskError):
        return error.cause if isinstance(error.cause, BaseException) else error
    # Ray Train: what each worker raised, by rank, or what ended the controller (a worker process that died).
    failures = [*getattr(error, "worker_failures", {}).values(), getattr(error, "controller_failure", None)]
    causes = [cause_of(failure) for failure in failures if failure is not None]
    return next((cause for cause in causes if isinstance(cause, VisrecError)), causes[0] if causes else error)


@contextmanager
def unwrapped_errors() -> Iterator[None]:
    """Raise the error of a task as itself where it is a user's mistake.

    Raises:
        VisrecError: The task raised it.
        ClusterError: The task could not read or write a file, or the process that ran it is gone.

    Example:
        >>> with unwrapped_errors():                                             # doctest: +SKIP
        ...     ray.get(reference)
    """
    try:
        yield
    except RayTaskError as error:
        cause = cause_of(error)
        if isinstance(cause, VisrecError):
            raise cause from None
        if isinstance(cause, OSError):
            raise ClusterError(
                f"a Ray task cannot read or write its files ({cause}); the disk must have room, and with several nodes "
                "input and workspace must be where every node reaches them"
            ) from None
        raise
    except RayError as error:  # a worker that was killed, a node or an object that is lost
        raise ClusterError(f"a Ray task was lost: {first_line(error)}") from error


def training_error(error: BaseException) -> VisrecError:
    """The error to raise for a training that failed on its workers: the user's mistake that a worker met, else a
    `ClusterError` with the last line of what Ray Train reports."""
    cause = cause_of(error)
    if isinstance(cause, VisrecError):
        return cause
    lines = str(cause).strip().splitlines()
    return ClusterError(f"training failed: {lines[-1] if lines else type(cause).__name__}")
