"""Connections to Ray: the cluster that this process runs on, one by address, or a local one for this process."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

from visrec.cluster import internals
from visrec.cluster.handlers import callers_handlers
from visrec.config import RayConfig
from visrec.errors import ClusterError, first_line

MIN_LOCAL_CPUS = 4
"""Least number of logical CPUs of a local cluster, which share the machine's cores. With two, Train workers and the
tasks that feed them can wait for each other forever."""

_ANSWER_SECONDS = 10.0


@contextmanager
def ray_session(config: RayConfig) -> Iterator[None]:
    """Connect for the duration of a block; an existing session is used and left running.

    Raises:
        ClusterError: No cluster answers at the address, or it runs another Ray version.
    """
    if ray.is_initialized():
        yield
        return
    try:
        connect(config)
        yield
    finally:
        with callers_handlers():
            ray.shutdown()


def connect(config: RayConfig) -> None:
    """Connect, and stay connected; the caller's signal handlers stay as they are."""
    address = config.address or (
        "auto" if os.environ.get("RAY_JOB_ID") or os.environ.get("RAY_ADDRESS") else "local"
    )
    os.environ.setdefault(internals.NO_PROGRESS_TIMEOUT, "300")
    os.environ.setdefault(internals.TRAIN_POLL_INTERVAL, "0.2")
    logging.getLogger(internals.TOKEN_LOGGER).setLevel(logging.ERROR)
    _must_answer(address)
    try:
        if address == "local":
            num_cpus = config.num_cpus or max(MIN_LOCAL_CPUS, os.cpu_count() or 1)
            # An idle worker that has loaded torch holds half a gigabyte: keep one for each core.
            os.environ.setdefault(internals.IDLE_WORKERS_LIMIT, str(os.cpu_count() or 1))
            with callers_handlers():
                ray.init("local", num_cpus=num_cpus, logging_level=logging.WARNING, log_to_driver=False)
            _protect_token()
        else:
            with callers_handlers():
                ray.init(address, logging_level=logging.WARNING, log_to_driver=False)
    except Exception as error:  # Ray raises plain exceptions where a part of it does not start in time
        reason = first_line(error)
        hint = "" if address == "local" else "; if it requires a token, set RAY_AUTH_MODE=token"
        raise ClusterError(
            f"expected a Ray {ray.__version__} cluster at {address!r}: {reason}{hint}"
        ) from error


def num_cpus() -> float:
    """Logical CPUs of the connected cluster."""
    return float(ray.cluster_resources().get("CPU", 1.0))


def is_this_machine_alone() -> bool:
    """Whether the connected cluster is one node, on this machine."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    return len(nodes) == 1 and nodes[0]["NodeManagerAddress"] == ray.util.get_node_ip_address()


def _must_answer(address: str) -> None:
    """Fail at once where nothing listens at the address: Ray itself would retry for minutes."""
    host, _, port = address.rpartition(":")
    if not host or "://" in address or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        raise ClusterError(
            f"expected a Ray {ray.__version__} cluster at {address!r}: {error.strerror or error}"
        ) from None


def _protect_token() -> None:
    # Ray writes the shared secret of a new local cluster readable for all users.
    token = Path.home() / ".ray" / "auth_token"
    if token.exists() and token.stat().st_mode & 0o077:
        token.chmod(0o600)
