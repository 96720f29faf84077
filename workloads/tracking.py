"""Studies in MLflow, where the extra `tracking` is installed, and `visrec tracking`, which opens its page."""

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from visrec.config import WorkloadConfig
from visrec.errors import ConfigError
from visrec.storage import Artifact, Workspace
from visrec.tune.environment import download
from visrec.tune.records import TrialRecord
from visrec.tune.report.facts import StudyFacts

EXPERIMENT = "visrec"
HOST = "127.0.0.1"
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


def run(job: WorkloadConfig, *, console: Console, port: int = 5000) -> NoReturn:
    """Become the server of MLflow's page over the workspace's studies, on this machine's loopback.

    Raises:
        ConfigError: MLflow is not installed, or the workspace is remote.
    """
    if not is_installed():
        raise ConfigError("tracking needs MLflow: install the extra, pip install 'visrec[tracking]'")
    command = server_command(Workspace(job.workspace), port)
    console.print(f"MLflow at http://{HOST}:{port} (Ctrl-C ends it)")
    # In this process's place, so that whoever ends this command ends the server. Its workers for jobs of language
    # models are not needed, and would outlive it.
    os.execve(sys.executable, command, {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})


def server_command(workspace: Workspace, port: int) -> list[str]:
    """The command line of the server: it has no login, so it listens to this machine only."""
    uri, artifacts = _store(workspace)
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", uri),
        *(("--default-artifact-root", artifacts) if artifacts else ()),
    ]


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
