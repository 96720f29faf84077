"""Studies in MLflow, where the extra `tracking` is installed, and `visrec tracking`, which starts MLflow's server."""

import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from visrec.config import WorkloadConfig
from visrec.errors import ConfigError, first_line
from visrec.storage import ArtifactStore
from visrec.tune.artifact import Study
from visrec.tune.environment import download
from visrec.tune.records import EpochResult, TrialRecord
from visrec.workloads.stopping import start_child

EXPERIMENT = "visrec"
HOST = "127.0.0.1"
STUDY_TAG = "visrec.study"
_STATES = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
_BATCH = 1000
"""Metrics that MLflow takes in one call."""


def is_installed() -> bool:
    """Whether MLflow can be imported."""
    return importlib.util.find_spec("mlflow") is not None


def tracking_folder(workspace: ArtifactStore) -> Path:
    """Folder of MLflow's database and artifacts.

    Raises:
        ConfigError: The workspace is remote; the database needs a local filesystem.
    """
    if not workspace.root.is_local:
        raise ConfigError(f"tracking needs a local workspace, or MLFLOW_TRACKING_URI; got {workspace.root}")
    return Path(workspace.root.path) / "tracking"


def track_study(workspace: ArtifactStore, study: Study, console: Console) -> None:
    """Record a finished study as a parent run with a child run for each trial; a second call records nothing.

    The store is `MLFLOW_TRACKING_URI` where that is set, else a database in the workspace. Without MLflow, or with a
    remote workspace and no server named, nothing is recorded. A server that cannot be reached is reported on the
    console and does not end the command: the next call records the study.
    """
    if not is_installed() or not (os.environ.get("MLFLOW_TRACKING_URI") or workspace.root.is_local):
        return
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it logs the creation of every table
    uri, artifacts = _store(workspace)
    try:
        num_runs = _record(MlflowClient(tracking_uri=uri), artifacts, study)
    except MlflowException as error:
        reason = first_line(error)
        console.print(f"not recorded in MLflow, the same command tries again: {reason}", soft_wrap=True)
        return
    if num_runs:
        console.print(f"recorded in MLflow: {num_runs} runs; look at them with `visrec tracking`")


def run(job: WorkloadConfig, *, console: Console, port: int = 5000) -> int:
    """MLflow's server over the workspace's studies, on the loopback interface; returns its exit code when it ends.

    Raises:
        ConfigError: MLflow is not installed, the workspace is remote, or the records are on a server of their own.
    """
    if not is_installed():
        raise ConfigError("tracking needs MLflow: install the extra, pip install 'visrec[tracking]'")
    command = server_command(ArtifactStore(job.workspace), port)
    console.print(f"MLflow at http://{HOST}:{port} (Ctrl-C ends it)")
    # MLflow's job workers are not needed, and would outlive the server.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with subprocess.Popen(command, env=environment, preexec_fn=start_child) as server:
        try:
            return server.wait()
        finally:
            server.terminate()


def server_command(workspace: ArtifactStore, port: int) -> list[str]:
    """Command line of the server. It has no login, so it listens on the loopback interface only.

    Raises:
        ConfigError: The workspace is remote, or MLFLOW_TRACKING_URI names a server, which has a page already.
    """
    uri, artifacts = _store(workspace)
    if uri.startswith(("http://", "https://")):
        raise ConfigError(f"MLFLOW_TRACKING_URI names a server, open its own page: {uri}")
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", uri),
        *(("--default-artifact-root", artifacts) if artifacts else ()),
    ]


def _store(workspace: ArtifactStore) -> tuple[str, str]:
    """URIs of the records and of the artifacts."""
    own = os.environ.get("MLFLOW_TRACKING_URI")
    if own:
        return own, ""
    folder = tracking_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri()


def _record(client: Any, artifacts: str, study: Study) -> int:
    """Record the runs of a study; returns how many, 0 if it was recorded before."""
    experiment = _experiment(client, artifacts)
    same_study = f"tags.`{STUDY_TAG}` = '{study.name}'"
    if client.search_runs([experiment], f"{same_study} and attributes.status = 'FINISHED'", max_results=1):
        return 0
    for half in client.search_runs(
        [experiment], same_study
    ):  # left by a command that was killed while it recorded
        for child in client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{half.info.run_id}'"):
            client.delete_run(child.info.run_id)
        client.delete_run(half.info.run_id)
    records, summary = study.trials(), study.summary
    parent = client.create_run(
        experiment,
        run_name=f"study {study.name}",
        tags={STUDY_TAG: study.name, "visrec.best_trial": str(summary.best_trial)},
        start_time=min((_ms(r.started_at) for r in records if r.started_at), default=None),
    ).info.run_id
    for name, number in {**study.artifact.manifest.counts, **summary.best_objectives}.items():
        client.log_metric(parent, _safe(name), number)
    _log_point(client, parent, summary.best_point)
    for record in records:
        _log_trial(client, experiment, parent, list(summary.best_objectives), record)
    with tempfile.TemporaryDirectory() as scratch:
        download(study.location, Path(scratch) / "study")
        client.log_artifacts(parent, str(Path(scratch) / "study"))
    client.set_terminated(parent, "FINISHED", end_time=max(_ms(r.ended_at or 0.0) for r in records) or None)
    return len(records) + 1


def _experiment(client: Any, artifacts: str) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(EXPERIMENT, artifact_location=artifacts or None))


def _log_trial(client: Any, experiment: str, parent: str, objectives: list[str], record: TrialRecord) -> None:
    from mlflow.entities import Metric

    tags = {"mlflow.parentRunId": parent, "visrec.state": record.status, "visrec.reason": record.reason or ""}
    started = _ms(record.started_at or record.ended_at or 0.0)
    run = client.create_run(
        experiment, run_name=f"trial {record.number}", tags=tags, start_time=started
    ).info.run_id
    _log_point(client, run, record.point)
    metrics, at = [], started
    for result in record.results:
        at += _ms(result.seconds)
        metrics += [Metric(name, number, at, result.epoch) for name, number in _numbers(result, objectives)]
    for first in range(0, len(metrics), _BATCH):
        client.log_batch(run, metrics=metrics[first : first + _BATCH])
    client.set_terminated(run, _STATES[record.status], end_time=_ms(record.ended_at or 0.0) or None)


def _numbers(result: EpochResult, objectives: list[str]) -> Iterator[tuple[str, float]]:
    """Names and values of an epoch: objectives, metrics of the loop, and settings, which may change during a trial."""
    for objective, number in zip(objectives, result.objectives, strict=True):
        yield f"best_{_safe(objective)}", number
    for prefix, values in (("", result.metrics), ("setting.", result.point)):
        for name, number in values.items():
            if isinstance(number, int | float) and not isinstance(number, bool) and name != "epoch":
                yield prefix + _safe(name), float(number)


def _log_point(client: Any, run: str, point: dict[str, Any]) -> None:
    for key, found in point.items():
        client.log_param(run, key, found)


def _ms(seconds: float) -> int:
    return int(1000 * seconds)


def _safe(name: str) -> str:
    """The name without `@`, which MLflow does not allow."""
    return name.replace("@", "_at_")
