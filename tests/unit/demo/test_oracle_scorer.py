from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import make_snapshot

from visrec.config import DemoDataConfig, EvaluationConfig, SplitConfig
from visrec.demo.oracle import Oracle, OracleScorer
from visrec.demo.truth import write_truth
from visrec.demo.world import make_world
from visrec.evaluation.context import EvaluationContext
from visrec.evaluation.measure import measure, merge
from visrec.evaluation.plan import plan_evaluation
from visrec.storage import ArtifactStore, Location

NUM_ITEMS, NUM_USERS = 40, 12
DAY_MS = 86_400_000


def test_who_takes_what_they_like_most_is_foreseen_perfectly(tmp_path: Path) -> None:
    world = make_world(DemoDataConfig(num_items=NUM_ITEMS, num_users=NUM_USERS, num_events=1000), 0)
    truth = Location.parse(tmp_path / "truth")
    write_truth(truth, world, {})
    oracle = Oracle.load(truth)
    users, items = [f"u{u:05d}" for u in range(NUM_USERS)], [f"i{i:05d}" for i in range(NUM_ITEMS)]
    late = int(world.catalogue.created_at.max()) + DAY_MS
    best = np.argsort(-oracle.score(users, np.full(NUM_USERS, late), items), axis=1)
    # Each user had the last items of the own taste before, and takes the very first at the end.
    histories = [[*row[-4:].tolist(), int(row[0])] for row in best]
    times = [[late - 4 + k for k in range(5)] for _ in users]
    workspace = ArtifactStore(str(tmp_path / "workspace"))
    snapshot = make_snapshot(
        workspace, histories, num_items=NUM_ITEMS, times=times, truth=str(tmp_path / "truth")
    )
    plan = plan_evaluation(make_checkpoint(workspace, snapshot), snapshot.artifact, EvaluationConfig())
    scorers = {"model": OracleScorer.load(truth, snapshot)}
    context = EvaluationContext.of(plan, plan.count_known_events(), seed=0)
    found = merge(measure(snapshot.sequences(SplitConfig()), scorers, context))
    assert found.scorers["model"].metrics["ndcg@10"] == pytest.approx(1)
