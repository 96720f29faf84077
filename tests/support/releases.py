"""Reports and releases on disk for tests, in the formats that evaluation and publishing write.

release = make_release(workspace, checkerboard_snapshot(workspace))
"""

import json
from typing import Any

import numpy as np
from tests.support.checkpoints import make_checkpoint

from visrec.config import EvaluateWorkloadConfig, ItemTowerConfig, ModelConfig, ReleaseConfig, UserTowerConfig
from visrec.data.snapshot import Snapshot
from visrec.models.checkpoint import Checkpoint
from visrec.releases import Release, activate
from visrec.releases.build import build_release
from visrec.reports.report import Report, ReportFacts
from visrec.storage import ArtifactStore

SMALL_MODEL = ModelConfig(
    dim=8, item=ItemTowerConfig(width=4), user=UserTowerConfig(hidden_dim=8, max_length=10)
)
"""Knows items by their pixels."""


def report_content(
    *,
    ndcg: float = 0.3,
    lead_low: float = 0.05,
    part: str = "test",
    checkpoint: str = "c",
    ranker: str | None = None,
) -> dict[str, Any]:
    """A `report.json` in which popularity is beaten by about 0.1."""
    return {
        "version": 1,
        "checkpoint": checkpoint,
        "snapshot": "s",
        "part": part,
        "split": {"protocol": "leave_one_out"},
        "seed": 0,
        "num_users": 40,
        "num_targets": 40,
        "num_items": 20,
        "num_ranked": 20,
        "ranker": ranker,
        "metrics": {
            "model": {"ndcg@10": {"mean": ndcg, "low": ndcg - 0.02, "high": ndcg + 0.02}},
            "popularity": {"ndcg@10": {"mean": ndcg - 0.1, "low": ndcg - 0.12, "high": ndcg - 0.08}},
        },
        "paired": {"popularity": {"ndcg@10": {"mean": 0.1, "low": lead_low, "high": 0.15}}},
        "oracle_share": None,
        "groups": {},
        "catalogue": {},
        "pairs": {},
        "curves": {},
        "left_out": {},
        "seconds": {"measure": 1.0},
    }


def report_facts(content: dict[str, Any] | None = None) -> ReportFacts:
    """The same, as a report reads it."""
    return ReportFacts.model_validate(content or report_content())


def make_report(
    workspace: ArtifactStore,
    checkpoint: Checkpoint,
    content: dict[str, Any] | None = None,
    *,
    name: str = "test-report",
    ranker: str | None = None,
) -> Report:
    """A report artifact of given content; `ranker` names the one that it measured."""
    config = EvaluateWorkloadConfig(checkpoint=checkpoint.name)
    parents = {"checkpoints": checkpoint.name, "snapshots": checkpoint.snapshot_name}
    parents |= {"rankers": ranker} if ranker else {}
    with workspace.create("reports", name, config=config, parents=parents) as writer:
        measured = {"checkpoint": checkpoint.name, "ranker": ranker}
        (writer.staging / "report.json").write_text(json.dumps((content or report_content()) | measured))
    workspace.point("reports", name)
    assert writer.result is not None
    return Report(writer.result)


def make_release(
    workspace: ArtifactStore,
    snapshot: Snapshot,
    *,
    model: ModelConfig = SMALL_MODEL,
    config: ReleaseConfig | None = None,
    measured: dict[str, Any] | None = None,
    seed: int = 0,
) -> Release:
    """Checkpoint, report (of the content `measured`) and release in one go; the release is made current."""
    counts = np.asarray(snapshot.items.column("num_positives"), np.float32)
    name = f"test-checkpoint-{seed}"
    checkpoint = make_checkpoint(workspace, snapshot, model=model, seed=seed, name=name, item_counts=counts)
    report = make_report(workspace, checkpoint, measured, name=f"test-report-{seed}")
    release = build_release(workspace, checkpoint, snapshot, report, config or ReleaseConfig(index="exact"))
    activate(workspace, release.name)
    return release
