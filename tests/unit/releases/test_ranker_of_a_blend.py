"""A release of a blend carries the ranker of its report where that raised the mean of the metric."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_blend_checkpoint
from tests.support.releases import make_report, report_content
from tests.support.snapshots import make_snapshot

from visrec.config import RankerConfig, ReleaseConfig
from visrec.ranking.train import train_ranker
from visrec.releases.build import build_release
from visrec.storage import ArtifactStore


@pytest.fixture
def workspace(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path))


@pytest.mark.parametrize(("gain", "carried"), [(0.01, True), (0.0, False), (-0.01, False)])
def test_by_the_gain(workspace: ArtifactStore, gain: float, carried: bool) -> None:
    rng = np.random.default_rng(0)
    histories = [rng.permutation(12)[:6].tolist() for _ in range(16)]
    snapshot = make_snapshot(workspace, histories, num_items=12)
    checkpoint = make_blend_checkpoint(workspace, snapshot)
    config = RankerConfig(num_candidates=10, tasks=(), epochs=1, folds=2)
    with workspace.create("rankers", "test-ranker", config=config) as writer:
        train_ranker(checkpoint, snapshot, config, seed=0).ranker.save(writer.staging)
    measured = {"ranker_gain": {"ndcg@10": {"mean": gain, "low": gain - 0.02, "high": gain + 0.02}}}
    report = make_report(workspace, checkpoint, report_content() | measured, ranker="test-ranker")
    release = build_release(workspace, checkpoint, snapshot, report, ReleaseConfig(index="exact"))
    assert release.has_ranker == carried
