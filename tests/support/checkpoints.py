"""Checkpoints, reports and releases on disk for tests, in the formats that training, evaluation and publishing write.

release = make_release(Workspace(str(tmp_path)), checkerboard_snapshot(workspace))
"""

import io
import json
from typing import Any

import numpy as np
import torch

from visrec.config import (
    Config,
    EvaluateJob,
    ItemTowerConfig,
    ModelConfig,
    ReleaseConfig,
    TrainJob,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.models import Recommender, TwoTower
from visrec.releases import Release, activate, build_release
from visrec.storage import Artifact, Workspace

SMALL_MODEL = ModelConfig(
    dim=8, item=ItemTowerConfig(width=4), user=UserTowerConfig(hidden_dim=8, max_length=10)
)


def make_checkpoint(
    workspace: Workspace,
    snapshot: Snapshot,
    *,
    model: ModelConfig = SMALL_MODEL,
    seed: int = 0,
    name: str = "test-checkpoint",
) -> Artifact:
    """A checkpoint with weights that were drawn, not trained."""
    recommender = drawn_recommender(snapshot, model, seed)
    vectors_ID = recommender.encode_catalogue(snapshot.images, snapshot.image_rows)
    job = TrainJob(snapshot=snapshot.name, model=model, seed=seed)
    with workspace.create("checkpoints", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        recommender.save(writer.staging)
        buffer = io.BytesIO()
        np.save(buffer, vectors_ID)
        (writer.staging / "item_vectors.npy").write_bytes(buffer.getvalue())
        (writer.staging / "history.json").write_text("[]")
    workspace.point("checkpoints", name)
    assert writer.result is not None
    return writer.result


def drawn_recommender(snapshot: Snapshot, model: ModelConfig, seed: int) -> Recommender:
    """A model with random weights, and biases from the true popularity."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        towers = TwoTower(model, num_items=snapshot.num_items, image_facts=snapshot.image_facts)
    towers.set_item_counts(torch.from_numpy(np.asarray(snapshot.items.column("num_positives"), np.float32)))
    return Recommender(towers, model, num_items=snapshot.num_items, image_facts=snapshot.image_facts)


def report_content(*, ndcg: float = 0.3, lead_low: float = 0.05, part: str = "test") -> dict[str, Any]:
    """A `report.json` in which popularity is beaten by about 0.1."""
    return {
        "part": part,
        "split": {"protocol": "leave_one_out"},
        "num_users": 40,
        "metrics": {
            "model": {"ndcg@10": {"mean": ndcg, "low": ndcg - 0.02, "high": ndcg + 0.02}},
            "popularity": {"ndcg@10": {"mean": ndcg - 0.1, "low": ndcg - 0.12, "high": ndcg - 0.08}},
        },
        "paired": {"popularity": {"ndcg@10": {"mean": 0.1, "low": lead_low, "high": 0.15}}},
        "oracle_share": None,
        "seconds": 1.0,
    }


def make_report(
    workspace: Workspace,
    checkpoint: Artifact,
    content: dict[str, Any] | None = None,
    *,
    name: str = "test-report",
) -> Artifact:
    """A report artifact of given content."""
    config: Config = EvaluateJob(checkpoint=checkpoint.name)
    parents = {"checkpoints": checkpoint.name, "snapshots": checkpoint.manifest.parents["snapshots"]}
    with workspace.create("reports", name, config=config, parents=parents) as writer:
        (writer.staging / "report.json").write_text(json.dumps(content or report_content()))
    workspace.point("reports", name)
    assert writer.result is not None
    return writer.result


def make_release(
    workspace: Workspace,
    snapshot: Snapshot,
    *,
    model: ModelConfig = SMALL_MODEL,
    config: ReleaseConfig | None = None,
    seed: int = 0,
) -> Release:
    """Checkpoint, report and release in one go; the release is made current."""
    checkpoint = make_checkpoint(workspace, snapshot, model=model, seed=seed, name=f"test-checkpoint-{seed}")
    report = make_report(workspace, checkpoint, name=f"test-report-{seed}")
    artifact = build_release(workspace, checkpoint, snapshot, report, config or ReleaseConfig(index="exact"))
    activate(workspace, artifact.name)
    return Release(artifact)
