"""Studies in MLflow, where the extra `tracking` is installed, and `visrec tracking`, which opens its page."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from visrec.config import WorkloadConfig
from visrec.errors import ConfigError
from visrec.storage import Artifact, Workspace
from visrec.tune.environment import download
from visrec.tune.records import TrialRecord
from visrec.tune.report.facts import StudyFacts

EXPERIMENT = "visrec"
STUDY_TAG = "visrec.study"
_STATES = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


def is_installed() -> bool:
    """Whether MLflow can be imported."""
    return importlib.util.find_spec("mlflow") is not None


def tracking_folder(workspace: Workspace) -> Path:
    """Where the database and the artifacts of MLflow are.

    Raises:
        ConfigError: The workspace is not on this machine's filesystem, which a database needs.
    """
    if not workspace.root.is_local:
        raise ConfigError(f"tracking needs a local workspace, or MLFLOW_TRACKING_URI; got {workspace.root}")
    return Path(workspace.root.path) / "tracking"


def track_study(workspace: Workspace, study: Artifact, facts: StudyFacts, console: Console) -> None:
    """Record a study as a parent run with a child run for each trial; once, however often it is called.

    It goes to `MLFLOW_TRACKING_URI` where that is set, else to a database in the workspace. Without MLflow, or with a
    remote workspace and no server named, nothing is recorded.
    """
    if not is_installed() or not (os.environ.get("MLFLOW_TRACKING_URI") or workspace.root.is_local):
        return
    from mlflow.tracking import MlflowClient

    uri, artifacts = _store(workspace)
    client = MlflowClient(tracking_uri=uri)
    experiment = _experiment(client, artifacts)
    if client.search_runs([experiment], f"tags.`{STUDY_TAG}` = '{study.name}'", max_results=1):
        return
    parent = client.create_run(experiment, run_name=f"study {study.name}", tags={STUDY_TAG: study.name})
    for key, number in study.manifest.counts.items():
        client.log_metric(parent.info.run_id, key, number)
    _log_point(client, parent.info.run_id, facts.order[0])
    for record in facts.records:
        _log_trial(client, experiment, parent.info.run_id, facts, record)
    with tempfile.TemporaryDirectory() as scratch:
        download(study.location, Path(scratch) / "study")
        client.log_artifacts(parent.info.run_id, str(Path(scratch) / "study"))
    client.set_terminated(parent.info.run_id, "FINISHED")
    console.print(f"recorded in MLflow: {len(facts.records) + 1} runs; look at them with `visrec tracking`")


def run(job: WorkloadConfig, *, console: Console, host: str = "127.0.0.1", port: int = 5000) -> int:
    """Serve MLflow's page over the workspace's studies until it is ended; returns its exit code.

    Raises:
        ConfigError: MLflow is not installed, the workspace is remote, or the page could be reached by others.
    """
    if not is_installed():
        raise ConfigError("tracking needs MLflow: install the extra, pip install 'visrec[tracking]'")
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError(
            f"tracking has no login, so it is served to this machine only: expected 127.0.0.1, got {host}"
        )
    uri, artifacts = _store(Workspace(job.workspace))
    console.print(f"MLflow at http://{host}:{port} (Ctrl-C ends it)")
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port)),
        *("--backend-store-uri", uri, "--default-artifact-root", artifacts, "--workers", "1"),
    ]
    with _ended_with_us(subprocess.Popen(command)) as process:
        return process.wait()


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    except KeyboardInterrupt:
        process.wait(30)  # the terminal has interrupted it, too
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def _store(workspace: Workspace) -> tuple[str, str]:
    """Addresses of the records and of the artifacts."""
    own = os.environ.get("MLFLOW_TRACKING_URI")
    if own:
        return own, ""
    folder = tracking_folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri()


def _experiment(client: Any, artifacts: str) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(EXPERIMENT, artifact_location=artifacts or None))


def _log_trial(client: Any, experiment: str, parent: str, facts: StudyFacts, record: TrialRecord) -> None:
    tags = {"mlflow.parentRunId": parent, "visrec.state": record.status, "visrec.reason": record.reason or ""}
    started = int(1000 * (record.started_at or 0)) or None
    run = client.create_run(
        experiment, run_name=f"trial {record.number}", tags=tags, start_time=started
    ).info.run_id
    _log_point(client, run, record)
    for result in record.results:
        at = int(1000 * (record.started_at or 0))
        for objective, number in zip(facts.objectives, result.objectives, strict=True):
            client.log_metric(run, f"best_{_safe(objective.metric)}", number, timestamp=at, step=result.epoch)
        for name, number in result.metrics.items():
            if isinstance(number, int | float) and name != "epoch":
                client.log_metric(run, _safe(name), float(number), timestamp=at, step=result.epoch)
    ended = int(1000 * (record.ended_at or 0)) or None
    client.set_terminated(run, _STATES.get(record.status, "KILLED"), end_time=ended)


def _log_point(client: Any, run: str, record: TrialRecord) -> None:
    for key, found in record.last_point.items():
        client.log_param(run, key, found)


def _safe(name: str) -> str:
    """MLflow's names have no `@`."""
    return name.replace("@", "_at_")
