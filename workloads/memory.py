"""Peak memory of this process and all processes that it has started."""

import threading
from types import TracebackType
from typing import Self

import psutil


class PeakMemory:
    """Context manager that samples the memory of this process and its descendants, among them a local Ray cluster.

    Shared pages count once: proportional set sizes (PSS) are added, so that an object store that ten processes map does
    not count ten times. Linux only.

    Attributes:
        num_bytes: Highest sum seen; None where the system does not report it.

    Example:
        >>> with PeakMemory() as memory:
        ...     work = bytes(10_000_000)
        >>> memory.num_bytes is None or memory.num_bytes > 10_000_000
        True
    """

    def __init__(self, *, interval_seconds: float = 2.0) -> None:
        self.num_bytes: int | None = None
        self._interval = interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.measure()
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            self.measure()

    def measure(self) -> int | None:
        """Take a sample; returns the peak so far."""
        total = tree_memory(psutil.Process())
        if total:
            self.num_bytes = max(total, self.num_bytes or 0)
        return self.num_bytes


def tree_memory(process: psutil.Process) -> int:
    """Proportional set sizes (PSS) of a process and its descendants in bytes, together; 0 where it has ended."""
    try:
        descendants = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return 0
    return sum(_proportional_size(p) for p in (process, *descendants))


def _proportional_size(process: psutil.Process) -> int:
    try:
        return int(getattr(process.memory_full_info(), "pss", 0))
    except psutil.Error:  # it has ended, or belongs to another user
        return 0
