import importlib.util
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.support.studies import RATE, make_job, make_record

from visrec.config import WorkloadConfig
from visrec.errors import ConfigError
from visrec.storage import ArtifactStore
from visrec.tune.artifact import Study
from visrec.tune.report.facts import study_facts
from visrec.tune.report.write import write_study
from visrec.workloads.tracking import run, server_command, track_study

HAS_MLFLOW = importlib.util.find_spec("mlflow") is not None
needs_mlflow = pytest.mark.skipif(not HAS_MLFLOW, reason="needs the extra `tracking`")


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def finished_study(workspace: ArtifactStore) -> Study:
    records = [
        make_record(0, [0.1, 0.4]),
        make_record(1, [0.2], status="stopped"),
        make_record(2, [], status="failed", reason="ConfigError: no"),
    ]
    facts = study_facts(make_job(), records, "done", 60.0)
    with workspace.create("studies", "s1", config=make_job()) as writer:
        write_study(writer.staging, facts, "abc")
        writer.counts["num_trials"] = 3
        writer.facts.update(best_trial=0, best_point=records[0].point, best_objectives={"ndcg@10": 0.4})
    return Study.find(workspace, "s1")


def test_the_page_is_for_this_machine_only(tmp_path: Path) -> None:
    command = server_command(ArtifactStore(str(tmp_path)), 5001)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5001"
    assert command[command.index("--backend-store-uri") + 1] == f"sqlite:///{tmp_path}/tracking/mlflow.db"


def test_a_server_has_its_own_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example:5000")
    with pytest.raises(ConfigError, match="open its own page"):
        server_command(ArtifactStore(str(tmp_path)), 5001)


@pytest.mark.skipif(HAS_MLFLOW, reason="MLflow is installed")
def test_without_the_extra_it_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'visrec\[tracking\]'"):
        run(WorkloadConfig(), console=Console())


@needs_mlflow
@pytest.mark.filterwarnings("default")
def test_a_study_is_a_parent_run_with_a_child_for_each_trial_and_recorded_once(tmp_path: Path) -> None:
    workspace, said = ArtifactStore(str(tmp_path)), StringIO()
    study = finished_study(workspace)
    client, experiment = _client(tmp_path)
    half = client.create_run(experiment, tags={"visrec.study": "s1"}).info.run_id  # killed while it recorded
    client.create_run(experiment, tags={"mlflow.parentRunId": half})
    for _ in range(2):
        track_study(workspace, study, Console(file=said))
    assert said.getvalue() == "recorded in MLflow: 4 runs; look at them with `visrec tracking`\n"
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert sorted(runs) == ["study s1", "trial 0", "trial 1", "trial 2"]
    parent = runs.pop("study s1")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert [runs[f"trial {n}"].info.status for n in range(3)] == ["FINISHED", "KILLED", "FAILED"]
    assert runs["trial 2"].data.tags["visrec.reason"] == "ConfigError: no"
    assert parent.data.metrics["ndcg_at_10"] == 0.4
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert {"report.md", "best.yaml", "trials.json", "history.png"} <= files
    trial = runs["trial 0"]
    assert trial.data.params[RATE] == "0.01"
    history = client.get_metric_history(trial.info.run_id, "best_ndcg_at_10")
    assert [(point.step, point.value) for point in history] == [(1, 0.1), (2, 0.4)]


@needs_mlflow
@pytest.mark.filterwarnings("default")
def test_a_server_that_is_not_there_costs_no_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    said = StringIO()
    track_study(
        (workspace := ArtifactStore(str(tmp_path))), finished_study(workspace), Console(file=said, width=300)
    )
    assert said.getvalue().startswith("not recorded in MLflow, the same command tries again: ")


def _client(root: Path) -> tuple[Any, str]:
    from mlflow.tracking import MlflowClient

    (root / "tracking").mkdir()
    client = MlflowClient(tracking_uri=f"sqlite:///{root}/tracking/mlflow.db")
    return client, client.create_experiment("visrec", artifact_location=(root / "artifacts").as_uri())
