"""Blends on real Ray: two workers, one of them killed on the way; a study over the settings of a member."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from ray.util.state import list_actors
from rich.console import Console
from tests.support.snapshots import checkerboard_snapshot

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    EvaluationConfig,
    RayConfig,
    TrainWorkloadConfig,
    TuneWorkloadConfig,
    parse_config,
)
from visrec.data.snapshot import Snapshot
from visrec.models import BlendedRecommender
from visrec.storage import ArtifactStore
from visrec.workloads.evaluate import evaluate
from visrec.workloads.train import train
from visrec.workloads.tune import tune

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

IDS = {"backbone": None, "id_embedding": True, "dropout": 0}
MEMBERS: list[dict[str, Any]] = [
    {
        "name": "closed-form",
        "model": {
            "dim": 16,
            "item": IDS,
            "user": {"kind": "pooling", "pooling_half_life": 3.5, "max_length": 10},
            "item_bias": False,
        },
        "phases": [{"closed_form": {"kind": "transitions", "history_half_life": 1.4}}],
        "search": True,
    },
    {
        "name": "pictures",
        "model": {"dim": 8, "item": {"width": 4}, "user": {"hidden_dim": 16, "max_length": 10}},
        "phases": [{"epochs": 8, "batch_size": 4, "learning_rate": 0.01}],
    },
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("workspace")))
    with ray_session(RayConfig()):
        yield checkerboard_snapshot(workspace, num_users=64, num_items=20)


def settings(snapshot: Snapshot, **training: Any) -> dict[str, Any]:
    return {
        "workspace": str(snapshot.artifact.location.parent.parent),
        "training": {
            "members": MEMBERS,
            "scaling": {"num_workers": 2, "resources_per_worker": {"CPU": 0.5}},
            **training,
        },
    }


def test_two_workers_make_one_blend_and_evaluation_measures_its_members(snapshot: Snapshot) -> None:
    out = StringIO()
    job = parse_config(TrainWorkloadConfig, settings(snapshot))
    checkpoint = train(job, console=Console(file=out, width=200))
    assert "closed-form (member 1 of 2)" in out.getvalue()
    assert "blend: NDCG@10" in out.getvalue()
    assert checkpoint.blend is not None
    recommender = checkpoint.recommender()
    assert isinstance(recommender, BlendedRecommender)
    assert checkpoint.item_vectors.shape == (20, recommender.dim)
    report = evaluate(
        EvaluateWorkloadConfig(
            workspace=job.workspace,
            checkpoint=checkpoint.name,
            evaluation=EvaluationConfig(bootstrap_samples=50, baselines=("popularity",)),
        )
    )
    kept = {member.config.name for member in checkpoint.blend.members if member.fitted_on is not None}
    assert report.facts.members.keys() == (kept if len(kept) > 1 else set())
    assert "## Members of the blend" in (report.location / "report.md").read_text()
    for name in report.facts.members:
        without = report.per_user(f"without/{name}", "ndcg@10")
        gain = report.per_user("model", "ndcg@10") - without
        assert report.facts.members[name]["gain"]["ndcg@10"].mean == pytest.approx(gain.mean(), abs=1e-6)
    again = train(job, console=Console(file=out, width=200))
    assert again.name == checkpoint.name


@pytest.mark.long
def test_a_worker_that_is_killed_in_the_second_member_changes_nothing(snapshot: Snapshot) -> None:
    whole = train(parse_config(TrainWorkloadConfig, settings(snapshot)), console=Console(file=StringIO()))
    # Another name, since the budget is part of it, and the same result.
    job = parse_config(TrainWorkloadConfig, settings(snapshot, budget_minutes=60))
    killed: list[int] = []
    killer = threading.Thread(target=_kill_a_worker, args=(Path(job.workspace) / "runs", killed))
    killer.start()
    try:
        checkpoint = train(job, console=Console(file=StringIO()))
    finally:
        killer.join(timeout=60)
    assert killed, "the run ended before a worker could be killed"
    assert checkpoint.name != whole.name
    np.testing.assert_array_equal(checkpoint.item_vectors, whole.item_vectors)


def _kill_a_worker(runs: Path, killed: list[int]) -> None:
    """Kill a training worker as soon as a checkpoint of the second member is there."""
    address = ray.get_runtime_context().gcs_address
    until = time.monotonic() + 240
    while not killed and time.monotonic() < until:
        found = any(runs.glob("*/checkpoint_*/selection/pictures/training_state.json"))
        filters: list[Any] = [("class_name", "=", "RayTrainWorker"), ("state", "=", "ALIVE")]
        workers = list_actors(address=address, filters=filters) if found else []
        if workers:
            os.kill(workers[-1].pid, signal.SIGKILL)
            killed.append(workers[-1].pid)
        time.sleep(0.1)


def test_a_study_tunes_the_settings_of_a_member(snapshot: Snapshot) -> None:
    ridge = "training.members.0.phases.0.closed_form.ridge"
    members = [{**MEMBERS[0], "search": False}, {**MEMBERS[1], "phases": [{"epochs": 1, "batch_size": 8}]}]
    values = settings(snapshot, members=members)
    values["training"]["scaling"] = {"num_workers": 1}
    values["tune"] = {
        "space": {ridge: {"choice": [3.0, 300.0]}},
        "search": {"kind": "grid"},
        "num_trials": 2,
        "scheduler": {"kind": "none"},
    }
    result = tune(parse_config(TuneWorkloadConfig, values), console=Console(file=StringIO(), width=250))
    trials = json.loads((result.study.location / "trials.json").read_text())
    assert [trial["status"] for trial in trials] == ["finished"] * 2
    for trial in trials:
        records = [epoch["phase"] for epoch in trial["results"]]
        assert records == ["closed-form/base", "pictures/base", "blend"]
    assert result.checkpoint.blend is not None
    found = train(result.study.best_config.path, console=Console(file=StringIO()))
    assert found.name == result.checkpoint.name
