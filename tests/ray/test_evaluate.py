"""`visrec evaluate` on a small local cluster: the same numbers as in one process, and mistakes told in one line."""

from pathlib import Path

import pytest
from rich.console import Console
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import checkerboard_snapshot, make_snapshot

from visrec.config import (
    EvaluateWorkloadConfig,
    EvaluationConfig,
    ItemTowerConfig,
    ModelConfig,
    UserTowerConfig,
)
from visrec.config.evaluation import AttackConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError, DataError
from visrec.evaluation.bootstrap import Interval
from visrec.evaluation.context import EvaluationContext
from visrec.evaluation.measure import measure, merge
from visrec.evaluation.plan import fit_scorer, plan_evaluation
from visrec.evaluation.summary import summarise
from visrec.robustness.plan import PromotionAttack, plan_robustness
from visrec.robustness.promotion import set_up_attack
from visrec.robustness.variants import measure_variant
from visrec.storage import ArtifactStore
from visrec.workloads.evaluate import evaluate

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("local_cluster"),
]

CONFIG = EvaluationConfig(bootstrap_samples=50, baselines=("popularity", "item_knn", "ease"))


def test_the_whole_workload(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=40, num_items=24)
    checkpoint = make_checkpoint(workspace, snapshot)
    job = EvaluateWorkloadConfig(workspace=str(tmp_path), evaluation=CONFIG)
    console = Console(record=True, width=140)
    report = evaluate(job, console=console)
    again = evaluate(job, console=console)

    printed = console.export_text()
    assert "NDCG@10" in printed and "Item-kNN" in printed
    assert again.name == report.name and "nothing to do" in printed
    assert workspace.pointed("reports") == report.name
    assert report.artifact.manifest.parents == {"checkpoints": checkpoint.name, "snapshots": snapshot.name}
    report.artifact.verify()
    assert report.metrics["ease"]["ndcg@10"] == Interval(mean=1.0, low=1.0, high=1.0)


def test_mistakes_in_tasks_come_out_as_what_they_are(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    checkpoint = make_checkpoint(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=12))
    job = EvaluateWorkloadConfig(workspace=str(tmp_path), evaluation=CONFIG)
    (checkpoint.location / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ArtifactError, match="expected a model"):
        evaluate(job)
    short = make_snapshot(workspace, [[0, 1], [1, 2]], num_items=3, name="short")
    make_checkpoint(workspace, short, name="short")
    with pytest.raises(DataError, match="expected users with a history and a held-out item"):
        evaluate(job.replace(checkpoint="short"))
    assert workspace.names("reports") == []


def test_equal_to_one_process(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=40, num_items=24)
    checkpoint = make_checkpoint(workspace, snapshot)
    job = EvaluateWorkloadConfig(workspace=str(tmp_path), evaluation=CONFIG)
    on_cluster = evaluate(job)

    plan = plan_evaluation(checkpoint, snapshot.artifact, CONFIG)
    counts_I = plan.count_known_events()
    scorers = {name: fit_scorer(plan, name, counts_I) for name in plan.scorer_names}
    blocks = Snapshot(snapshot.artifact).sequences(plan.split)
    measures = merge(measure(blocks, scorers, EvaluationContext.of(plan, counts_I, seed=0)))
    here = summarise(measures, plan, seed=0)
    assert on_cluster is not None
    for name, row in here.metrics.items():
        for metric, interval in row.items():
            assert on_cluster.metrics[name][metric].mean == pytest.approx(interval.mean, abs=1e-6), (
                name,
                metric,
            )


def test_under_attack(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=20, num_items=40, image_size=16)
    pixels = ModelConfig(dim=8, item=ItemTowerConfig(width=4), user=UserTowerConfig(hidden_dim=8))
    checkpoint = make_checkpoint(workspace, snapshot, model=pixels)
    attack = AttackConfig(epsilons=(16,), num_targets=5, corruptions=("jpeg",), severities=("strong",))
    config = CONFIG.replace(attack=attack, baselines=())
    job = EvaluateWorkloadConfig(workspace=str(tmp_path), evaluation=config)
    console = Console(record=True, width=140)
    report = evaluate(job, console=console)
    assert "16/255, white box" in console.export_text()

    plan = plan_robustness(plan_evaluation(checkpoint, snapshot.artifact, config), workspace, seed=0)
    assert plan is not None
    setup = set_up_attack(plan, plan.evaluation.count_known_events())
    here = measure_variant(plan, setup, PromotionAttack(epsilon=16, transferred=False))
    assert report.facts.robustness is not None
    (attack_json,) = report.facts.robustness["pushes"]
    assert attack_json["after"]["exposure@10"]["mean"] == pytest.approx(
        here.metrics["exposure@10"].mean(), abs=1e-6
    )
    assert attack_json["psnr"] == pytest.approx(here.psnr)
