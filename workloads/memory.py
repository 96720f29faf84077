"""How much memory this process and all that it started use at once."""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_PROC = Path("/proc")


class PeakMemory:
    """Context that watches this process and its descendants (a local Ray cluster's are among them).

    Shared pages count once: the proportional set sizes (PSS) are added, so that an object store mapped by ten
    processes is not counted ten times. Files that are mapped count as far as they are in memory. Linux only.

    Attributes:
        num_bytes: Highest sum seen; None where the system does not tell.

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
        self.look()
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            self.look()

    def look(self) -> int | None:
        """Measure now; returns the peak until now."""
        total = sum(_proportional_size(pid) for pid in _descendants(os.getpid()))
        if total:
            self.num_bytes = max(total, self.num_bytes or 0)
        return self.num_bytes


def _descendants(root: int) -> set[int]:
    """Process ids of `root` and everything below it."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        # The name in brackets may hold anything, so the fields are counted from the last bracket: state, parent.
        fields = _read(entry).rpartition(")")[2].split()
        if len(fields) > 1:
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children.get(pid, [])
    return found


def _proportional_size(pid: int) -> int:
    for line in _read(_PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended, or belongs to somebody else
        return ""
