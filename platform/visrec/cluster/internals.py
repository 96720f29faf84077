"""Names of Ray outside of its stable interface that visrec relies on, in one place.

A release of Ray may change any of them without notice; `tests/unit/cluster/test_internals.py` fails where one did.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# Environment variables: read by Ray, few of them documented.
NO_PROGRESS_TIMEOUT = "RAY_DATA_EXECUTION_NO_PROGRESS_TIMEOUT_S"
"""Seconds without progress after which a dataset fails. Ray's default leaves a stuck one silent for 30 minutes."""
TRAIN_POLL_INTERVAL = "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S"
"""Seconds between two polls of the training workers; each report of a worker waits for the next one."""
IDLE_WORKERS_LIMIT = "RAY_num_workers_soft_limit"
"""Idle worker processes that a node keeps; Ray's default is one a logical CPU."""
DASHBOARD_ADDRESS = "RAY_API_SERVER_ADDRESS"
"""The job client's address, which wins over the client's argument."""
PROXY_READY_TIMEOUT = "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S"
"""Seconds after which Serve replaces a proxy that is still starting; Ray's default is 5."""

QUIET_TUNE = {
    "RAY_AIR_NEW_OUTPUT": "0",  # its progress table; the command has its own
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # CSV, JSON and TensorBoard files of each trial
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # reasons are in the log of the study
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
}
"""Environment in which Ray Tune writes nothing by itself."""

ENABLE_HAPROXY = "RAY_SERVE_ENABLE_HA_PROXY"
HAPROXY_BINARY = "RAY_SERVE_HAPROXY_BINARY_PATH"
HAPROXY_THREADS = "RAY_SERVE_HAPROXY_NBTHREAD"
HAPROXY_STATS_PORT = "RAY_SERVE_HAPROXY_STATS_PORT"
HAPROXY_METRICS_PORT = "RAY_SERVE_HAPROXY_METRICS_PORT"
FALLBACK_PROXY_PORT = "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT"
THROUGHPUT_OPTIMIZED = "RAY_SERVE_THROUGHPUT_OPTIMIZED"
"""Replicas call each other by gRPC and answer HTTP themselves."""
USER_CODE_IN_THREAD = "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD"
"""A replica's own code keeps a thread of its own, so that it cannot hold up health checks."""
MIN_DRAINING_SECONDS = "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S"
"""Least seconds for which a replica drains at its end; Ray's default of 30 would delay Ctrl-C."""

# Lines of the configuration that Serve writes for HAProxy, and that `visrec.cluster.haproxy` corrects by text. The
# ports stand in the braces.
HAPROXY_METRICS_BIND = "bind :{port}"
HAPROXY_STATS_BIND = "bind *:{port}"
HAPROXY_SOCKET_MODE = "mode 666 level admin"

# Loggers of single modules. Those of whole packages (`ray.data`) are part of the interface.
TOKEN_LOGGER = "ray._private.authentication.authentication_token_setup"
"""Warns at every start of a local cluster that it has a token, which is as intended."""
JOB_LOGGERS = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)
"""Log every upload and connection of a job's submission."""


@contextmanager
def quiet_tune() -> Iterator[None]:
    """Ray Tune without output of its own within the block."""
    saved = {name: os.environ.get(name) for name in QUIET_TUNE}
    os.environ.update(QUIET_TUNE)
    logger = logging.getLogger("ray.tune")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
        restore_environment(saved)


def restore_environment(saved: Mapping[str, str | None]) -> None:
    """Set environment variables back; None removes one."""
    for name, value in saved.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def end_perturbation_interval(scheduler: Any, paused: Sequence[Any]) -> None:
    """Let the paused trials of a synchronous `PopulationBasedTraining` go on.

    The scheduler resumes trials when all have reached the end of the interval. A trial that failed or ended before it
    never does; the interval then ends where the slowest of the others stands. Ray offers no call for it.
    """
    slowest = min(scheduler._trial_state[trial].last_train_time for trial in paused)
    scheduler._next_perturbation_sync = slowest + scheduler._perturbation_interval


def trial_folder(trial: Any) -> str:
    """Path of a Ray Tune trial's folder on the study's filesystem; its checkpoints are below it."""
    return str(trial.storage.trial_fs_path)


def trial_error(trial: Any) -> str:
    """Traceback of a failed Ray Tune trial, as far as Ray knows or has written it; empty where it has not."""
    error = trial.get_error()
    if error:
        return str(error)
    try:
        with open(trial.error_file, encoding="utf-8") as file:
            return file.read()
    except (OSError, TypeError):  # no file, or no name of one
        return ""
