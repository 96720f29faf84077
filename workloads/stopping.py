"""The end of a command by Ctrl-C, SIGTERM or SIGHUP: in order, with one line on standard error and a fixed exit code.

The signals are blocked in every thread from the first moment on, and a thread of their own waits for them. So it does
not matter which handlers the libraries install: Ray's would abort the process with the frames of its C++ code. The
thread tells the main thread by a signal that nobody else uses, and the main thread raises `Stopped` there.

Only the command does this. As a library, visrec leaves the signals to its caller.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

PATIENCE_S = 30.0
"""Seconds that a command may take to end in order. After these it ends at once, as at a second signal."""
_WAKE = signal.SIGRTMAX
"""Tells the main thread that the command is to stop."""
_REPEAT_S = 0.2
"""A signal that comes again within this time is the same one: a closed terminal sends SIGHUP twice."""
_KILL_S = 5.0
"""Seconds after which a process that cannot be killed, since it waits for a disk, is left to the system."""
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
_PR_SET_CHILD_SUBREAPER = 36


class Stopped(KeyboardInterrupt):
    """The command was told to stop. Code that catches it cleans up and raises it again."""

    def __init__(self, stop: "_Stop") -> None:
        super().__init__()
        self._stop = stop

    def is_the_normal_end(self) -> None:
        """The command has done its work, as a server that is stopped: its exit code is 0."""
        self._stop.exit_code = 0


@contextmanager
def stoppable() -> Iterator[None]:
    """Run a command in the block: it ends the process by itself where the command was told to stop.

    For the main thread of a process of its own, before other threads are started.
    """
    stop = _Stop()
    stop.listen()
    try:
        yield
    except BaseException as error:  # whatever a library makes of the interruption
        if not stop.was_told:
            raise
        stop.end(error)
    finally:
        stop.is_over = True


@contextmanager
def until_stopped() -> Iterator[None]:
    """A block that Ctrl-C or SIGTERM leaves, as the normal end of what is done there."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # for callers of the library
    try:
        yield
    except Stopped as stopped:
        stopped.is_the_normal_end()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def start_child() -> None:
    """In a child process: it gets the signals that it is sent, but not the Ctrl-C of the terminal.

    Runs in children that are forked, or started with a `preexec_fn`, as Ray's are.
    """
    with suppress(OSError):
        os.setpgid(0, 0)
    for number in _NAMES:  # one that came meanwhile ends the child, without a word of Python's handler
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _NAMES)


class _Stop:
    """The state of a command that may be told to stop.

    Attributes:
        was_told: Whether it was.
        exit_code: Of the process, once it was told.
        is_over: Whether the command has ended; a signal that comes later changes nothing.
    """

    def __init__(self) -> None:
        self.was_told = False
        self.exit_code = 0
        self.is_over = False
        self._name = ""
        self._main = threading.main_thread()
        self._stderr = 2

    def listen(self) -> None:
        # `nohup` ignores SIGHUP. A script's shell ignores SIGINT for what it starts in the background, but whoever
        # sends it there means it.
        signals = {s for s in _NAMES if s == signal.SIGINT or signal.getsignal(s) != signal.SIG_IGN}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        signal.signal(_WAKE, self._raise)
        sys.unraisablehook = self._raise_again
        os.register_at_fork(after_in_child=start_child)
        threading.Thread(target=self._watch, args=(signals,), name="stop signals", daemon=True).start()

    def end(self, error: BaseException) -> NoReturn:
        """End the process after the command's own cleaning up, which ended with this error."""
        self.is_over = True
        if isinstance(error, SystemExit) and not error.code:  # it had done its work already
            self.exit_code = 0
        cause = error.__context__ if isinstance(error, SystemExit) else error
        self._leave(f": {cause}" if _is_for_the_user(cause) else "")

    def _watch(self, signals: set[signal.Signals]) -> None:
        received = signal.sigwait(signals)
        if self.is_over:
            return
        self._name = _NAMES[signal.Signals(received)]
        self.exit_code = 128 + received
        self._prepare()
        self.was_told = True
        self._wake_main_thread()
        time.sleep(_REPEAT_S)
        while signal.sigtimedwait(signals, 0) is not None:
            pass
        signal.sigtimedwait(signals, PATIENCE_S)
        if not self.is_over:
            self._leave("")

    def _prepare(self) -> None:
        """Silence what libraries say about the interruption, and keep hold of all processes that were started."""
        self._stderr = os.dup(2)
        with suppress(ValueError, AttributeError):
            sys.stderr.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        # A process whose parent ends becomes a child of this one, so that none can get out of sight.
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def _raise(self, signum: int, frame: FrameType | None) -> None:
        if self.was_told and not self.is_over:
            raise Stopped(self)

    def _wake_main_thread(self) -> None:
        signal.pthread_kill(self._main.ident or 0, _WAKE)

    def _raise_again(self, unraisable: Any) -> None:
        """Hook for exceptions in finalizers and callbacks, where Python drops them: `Stopped` is raised once more."""
        if isinstance(unraisable.exc_value, Stopped):
            self._wake_main_thread()
        else:
            sys.__unraisablehook__(unraisable)

    def _leave(self, note: str) -> NoReturn:
        _end_children()
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        if self.exit_code != 0:
            with suppress(OSError):
                os.write(self._stderr, f"stopped by {self._name}{note}\n".encode())
        os._exit(
            self.exit_code
        )  # without the exit handlers of libraries, which wait for processes that are gone


def _is_for_the_user(error: BaseException | None) -> bool:
    from visrec.errors import StudyInterrupted

    return isinstance(error, StudyInterrupted)


def _prctl(option: int, value: int) -> None:
    import ctypes

    with suppress(OSError, AttributeError):  # a system other than Linux
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _end_children() -> None:
    """Kill every process that this one or its children have started, those included that appear meanwhile."""
    import psutil

    this = psutil.Process()
    deadline = time.monotonic() + _KILL_S
    while time.monotonic() < deadline and (
        children := [child for child in this.children(recursive=True) if not _has_ended(child)]
    ):
        for child in children:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                child.kill()
        psutil.wait_procs(children, timeout=1)


def _has_ended(process: Any) -> bool:
    import psutil

    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
