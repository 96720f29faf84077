"""Commands as processes of their own, which a test stops at some moment."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

_MARK = "VISREC_TEST_RUN"
_END_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A command that has ended.

    Attributes:
        exit_code: Of its process.
        stdout: All that it printed.
        stderr: All that it printed on standard error.
        seconds: From the signal to its end.
        left: Command lines of processes that it left behind.
    """

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    left: tuple[str, ...]

    @property
    def was_stopped_in_order(self) -> bool:
        """One line, the exit code of SIGTERM, and nothing left."""
        return (self.exit_code, self.stderr, self.left) == (143, "stopped by SIGTERM\n", ())


def run_until(
    when: Callable[[], bool],
    *arguments: str,
    how: signal.Signals = signal.SIGTERM,
    of_group: bool = False,
    repeat_after: float | None = None,
) -> Ended:
    """Run `visrec` with the arguments, and send it a signal as soon as `when` says so, or it has ended before.

    Args:
        when: Asked every few milliseconds.
        arguments: Of the command.
        how: The signal.
        of_group: Send it to the whole process group, as a terminal does.
        repeat_after: Send it again after so many seconds.
    """
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "visrec.workloads.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {_MARK: mark, "COLUMNS": "200"},
        process_group=0,
    )
    try:
        while process.poll() is None and not when():
            time.sleep(0.01)
        started = time.monotonic()
        if of_group:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        if repeat_after is not None:
            time.sleep(repeat_after)
            process.send_signal(how)
        stdout, stderr = process.communicate(timeout=_END_SECONDS)
        seconds = time.monotonic() - started
        left = [" ".join(other.cmdline()) for other in _marked(mark)]
    finally:
        process.kill()
        for other in _marked(mark):
            other.kill()
    return Ended(
        exit_code=process.returncode, stdout=stdout, stderr=stderr, seconds=seconds, left=tuple(left)
    )


def after(seconds: float) -> Callable[[], bool]:
    """True that many seconds after this call."""
    moment = time.monotonic() + seconds
    return lambda: time.monotonic() >= moment


def answers(address: str) -> Callable[[], bool]:
    """Whether a server answers at the address with 200."""

    def ask() -> bool:
        try:
            return requests.get(address, timeout=5).ok
        except requests.RequestException:
            return False

    return ask


def holds(folder: Path, pattern: str) -> Callable[[], bool]:
    """Whether the folder has a file or folder of that pattern."""
    return lambda: any(folder.glob(pattern))


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def read_until(process: subprocess.Popen[str], expected: str) -> str:
    """Output of a running command up to the line that holds a text; fails where it ends without."""
    assert process.stdout is not None
    output = ""
    while expected not in output and (line := process.stdout.readline()):
        output += line
    assert expected in output, output
    return output
