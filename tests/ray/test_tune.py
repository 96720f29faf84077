"""Studies on real Ray Tune: stopped early, crashed, killed and resumed, and a population that changes on the way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console
from tests.support.snapshots import checkerboard_snapshot

from visrec.cluster.session import ray_session
from visrec.config import RayConfig, TuneWorkloadConfig, parse_config
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.models import TwoTowerRecommender
from visrec.storage import ArtifactStore
from visrec.workloads.train import train
from visrec.workloads.tune import TuneResult, tune

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

RATE = "training.phases.0.learning_rate"
DECAY = "training.phases.0.weight_decay"
HEADS = "model.user.num_heads"


def settings(root: Path, epochs: int = 4, **study: Any) -> dict[str, Any]:
    phase = {"epochs": epochs, "batch_size": 8, "learning_rate": 0.01, "schedule": "constant"}
    return {
        "workspace": str(root),
        "model": {"dim": 8, "item": {"width": 4}, "user": {"hidden_dim": 16, "max_length": 10}},
        "training": {"phases": [phase]},
        "tune": {"space": {RATE: {"loguniform": [1e-3, 1e-1]}}, **study},
    }


def run(values: dict[str, Any]) -> tuple[TuneResult, list[dict[str, Any]], str]:
    said = StringIO()
    result = tune(parse_config(TuneWorkloadConfig, values), console=Console(file=said, width=250))
    return result, json.loads((result.study.location / "trials.json").read_text()), said.getvalue()


@pytest.fixture(scope="module")
def session() -> Iterator[None]:
    with ray_session(RayConfig()):
        yield


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=64, num_items=20)


@pytest.mark.usefixtures("session")
def test_trials_are_stopped_and_fail_and_the_best_can_be_trained_again(
    tmp_path: Path, snapshot: Snapshot
) -> None:
    space = {
        "model.user.kind": {"choice": ["gru", "transformer"]},
        # 3 heads do not divide 16, and such a rate and decay let weights explode.
        HEADS: {"choice": [2, 3], "when": {"model.user.kind": "transformer"}},
        RATE: {"choice": [0.01, 10.0]},
        DECAY: {"choice": [1e-4, 10.0]},
    }
    values = settings(tmp_path, space=space, search={"kind": "grid"}, num_trials=12, max_concurrent_trials=2)
    result, trials, said = run(values)
    reasons = [t["reason"] for t in trials if t["status"] == "failed"]
    assert any("after epoch 1 of phase base" in r for r in reasons), reasons
    assert any("num_heads" in r for r in reasons), reasons
    assert {t["status"] for t in trials} == {"finished", "stopped", "failed"}
    assert [t["number"] for t in trials] == list(range(12))
    best = result.study.summary.best_trial
    assert trials[best]["results"][-1]["objectives"][0] == max(
        t["results"][-1]["objectives"][0] for t in trials if t["status"] != "failed"
    )
    report = (result.study.location / "report.md").read_text()
    assert "Rungs of ASHA" in report and "Failed trials" in report
    assert f"best trial {best}" in said
    assert result.checkpoint is not None
    TwoTowerRecommender.load(result.checkpoint.location)
    again = StringIO()
    train(result.study.best_config.path, console=Console(file=again, width=250))
    assert ("found, nothing to do" in again.getvalue()) == (trials[best]["status"] == "finished")
    assert "found, nothing to do" in run(values)[2]


@pytest.mark.usefixtures("session")
def test_a_population_changes_the_learning_rate_while_it_trains(tmp_path: Path, snapshot: Snapshot) -> None:
    space = {RATE: {"loguniform": [1e-5, 1e-1]}}
    scheduler = {"kind": "pbt", "quantile": 0.5, "resample_probability": 0.0}
    result, trials, _ = run(settings(tmp_path, 5, space=space, scheduler=scheduler, num_trials=4))
    assert [t["status"] for t in trials] == ["finished"] * 4
    copied = [(t, e) for t in trials for e in t["results"] if e["copied_from"] is not None]
    assert copied
    for trial, epoch in copied:
        assert epoch["copied_from"] != trial["number"]
        assert len({e["point"][RATE] for e in trial["results"]}) > 1
        # A factor on what somebody had, unless it was cut at the bounds.
        rates = [e["point"][RATE] for t in trials for e in t["results"] if e["epoch"] < epoch["epoch"]]
        assert any(epoch["point"][RATE] == pytest.approx(min(r * f, 0.1)) for r in rates for f in (0.8, 1.2))
    assert (result.study.location / "schedules.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("session")
def test_a_killed_trial_is_recorded_and_the_study_goes_on(tmp_path: Path, snapshot: Snapshot) -> None:
    stop = threading.Event()
    killed: list[int] = []

    def kill_one_trial() -> None:
        while not killed and not stop.wait(0.02):
            if any(record["results"] for record in _records(tmp_path).values()):
                for pid in _trial_processes()[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    killer = threading.Thread(target=kill_one_trial)
    killer.start()
    try:
        study = {"search": {"kind": "optuna"}, "scheduler": {"kind": "none"}}
        values = settings(tmp_path, 80, num_trials=2, max_concurrent_trials=1, **study)
        _, trials, _ = run(values)
    finally:
        stop.set()
        killer.join()
    assert killed, "the study ended before a trial could be killed"
    assert sorted(t["status"] for t in trials) == ["failed", "finished"]
    assert [t["reason"] for t in trials if t["status"] == "failed"] == [
        "its process died (killed, or the system was out of memory)"
    ]


@pytest.mark.usefixtures("session")
def test_trials_on_workers_of_ray_train(tmp_path: Path, snapshot: Snapshot) -> None:
    study: dict[str, Any] = {"num_trials": 2, "scheduler": {"kind": "none"}}
    values = settings(tmp_path, 2, run_in="workers", space={RATE: {"loguniform": [0.03, 0.06]}}, **study)
    values["training"]["scaling"] = {"num_workers": 2, "resources_per_worker": {"CPU": 0.5}}
    # The unchanged config learns nothing: the other trial is ahead of it.
    values["training"]["phases"][0] |= {"trainable": "head", "learning_rate": 1e-9}
    result, trials, said = run(values)
    assert [t["status"] for t in trials] == ["finished", "finished"]
    lead = result.study.artifact.manifest.facts["lead"]
    values_of = [t["results"][-1]["objectives"][0] for t in trials]
    assert lead["interval"]["mean"] == pytest.approx(values_of[1] - values_of[0], abs=1e-6)
    assert lead["text"] in said
    assert f"ahead by {lead['text']}" in (result.study.location / "report.md").read_text()
    assert "frozen blocks kept: 20 pictures" in said  # before any trial, which all read them
    assert len(ArtifactStore(str(tmp_path)).names("activations")) == 1
    assert result.checkpoint is not None
    assert result.checkpoint.artifact.manifest.config["training"]["scaling"]["num_workers"] == 2


def test_a_killed_study_goes_on_and_repeats_no_finished_trial(tmp_path: Path, snapshot: Snapshot) -> None:
    values = settings(tmp_path, 8, num_trials=5, max_concurrent_trials=1)
    config = tmp_path / "study.yaml"
    config.write_text(yaml.safe_dump(values))
    command = [str(Path(sys.executable).parent / "visrec"), "tune", "--config", str(config)]
    with (tmp_path / "said.txt").open("w") as said:
        first = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            _wait_for_ended(tmp_path, 2, first)
        finally:
            first.kill()
            first.wait(10)
    before = _records(tmp_path)
    with pytest.raises(ConfigError, match=r"this study is unfinished \(\d of 5 trials ended\)"):
        tune(parse_config(TuneWorkloadConfig, values), console=Console(file=StringIO()))
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "resuming: " in done.stdout
    study = ArtifactStore(str(tmp_path)).find("studies")
    after = {t["number"]: t for t in json.loads((study.location / "trials.json").read_text())}
    assert sorted(after) == list(range(5))
    for number, record in before.items():
        if record["status"] in ("finished", "stopped"):
            assert after[number] == record
        kept = {(e["epoch"], e["objectives"][0]) for e in record["results"]}
        assert kept <= {(e["epoch"], e["objectives"][0]) for e in after[number]["results"]}
    for record in after.values():
        assert [e["epoch"] for e in record["results"]] == list(range(1, len(record["results"]) + 1))


def _trial_processes() -> list[int]:
    """Processes below this one that run a trial, by the title that Ray gives them."""
    parents, trials = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid, status = int(folder.name), (folder / "stat").read_text()
            title = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it has ended since
            continue
        parents[pid] = int(status.rpartition(")")[2].split()[1])
        if title.startswith(b"ray::ImplicitFunc"):  # Tune's name for a function that it runs
            trials.append(pid)
    return [pid for pid in trials if os.getpid() in _ancestors(pid, parents)]


def _ancestors(pid: int, parents: dict[int, int]) -> list[int]:
    found = []
    while pid := parents.get(pid, 0):
        found.append(pid)
    return found


def _records(root: Path) -> dict[int, dict[str, Any]]:
    found = [json.loads(p.read_text()) for p in root.glob("runs/*/trials/*.json")]
    return {record["number"]: record for record in found}


def _wait_for_ended(root: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Until so many trials have ended and another one is under way."""
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline and process.poll() is None:
        records = _records(root).values()
        begun = any(r["status"] == "running" and r["results"] for r in records)
        if begun and sum(r["status"] in ("finished", "stopped") for r in records) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"the study did not get that far: {(root / 'said.txt').read_text()[-2000:]}")
