import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from visrec.cluster import internals
from visrec.cluster.haproxy import free_ports, haproxy_environment

CONFIG = """global
    stats socket /tmp/x/admin.sock mode 666 level admin expose-fd listeners
frontend prometheus
    bind :{metrics}
frontend http_frontend
    bind *:{port}
listen stats
  bind *:{stats}
"""


@pytest.fixture
def binary(tmp_path: Path) -> str:
    """Stands for HAProxy: lives until it is told to end."""
    place = tmp_path / "stand-in"
    place.write_text("#!/bin/sh\nwhile :; do sleep 0.05; done\n")
    place.chmod(0o700)
    return str(place)


def wait_until(path: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in path.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_statistics_are_closed_and_what_ray_leaves_behind_is_ended(tmp_path: Path, binary: str) -> None:
    config = tmp_path / "haproxy.cfg"
    with haproxy_environment(binary) as environment:
        stats, metrics = (
            environment[internals.HAPROXY_STATS_PORT],
            environment[internals.HAPROXY_METRICS_PORT],
        )
        config.write_text(CONFIG.format(stats=stats, metrics=metrics, port=8000))
        script = environment[internals.HAPROXY_BINARY]
        process = subprocess.Popen([script, "-db", "-f", str(config), "-dR"])
        wait_until(Path(script).parent / "pids", str(process.pid))
        written = config.read_text()
        assert f"bind 127.0.0.1:{metrics}\n" in written
        assert f"bind 127.0.0.1:{stats}\n" in written
        assert "bind *:8000\n" in written  # what the user wants open stays open
        assert "mode 600 level admin" in written
        time.sleep(0.1)  # the script has become the binary
        assert process.poll() is None
    assert process.wait(timeout=10) == -signal.SIGTERM
    assert not Path(script).exists()


def test_a_process_that_has_ended_is_no_trouble(tmp_path: Path, binary: str) -> None:
    with haproxy_environment(binary) as environment:
        pids = Path(environment[internals.HAPROXY_BINARY]).parent / "pids"
        pids.write_text(f"99999999\n{os.getpid()}\n")  # one that is not there, one that is something else


def test_free_ports_are_distinct() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
