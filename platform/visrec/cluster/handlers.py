"""The caller's signal handlers: parts of Ray install handlers of their own, and leave them behind."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHANGED_BY_RAY = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""`ray.init` takes SIGTERM, Ray Train SIGINT, Ray Tune SIGINT and SIGUSR1."""


@contextmanager
def callers_handlers() -> Iterator[None]:
    """Install the signal handlers from before the block again after it, those that C++ code has replaced included."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread can change handlers
        yield
        return
    before = {number: signal.getsignal(number) for number in _CHANGED_BY_RAY}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # one that Python did not install cannot be installed again
                signal.signal(number, handler)
