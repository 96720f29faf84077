"""Scorers of a blend's members: alone they score as their own model does, left out the others remain."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import SplitConfig
from visrec.data.held_out import hold_out
from visrec.errors import ArtifactError
from visrec.evaluation.scorers import MemberScorer, TwoTowerScorer
from visrec.models import BlendedRecommender, BlendMember
from visrec.storage import ArtifactStore


def test_alone_and_left_out(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=8, num_items=10)
    models = {
        name: make_checkpoint(workspace, snapshot, name=name, seed=seed)
        for seed, name in enumerate(("a", "b"))
    }
    members = [BlendMember.of(n, m.recommender(), m.item_vectors, 0.5) for n, m in models.items()]
    recommender = BlendedRecommender(members)
    vectors_ID = recommender.join_vectors([m.item_vectors for m in models.values()])
    blend = TwoTowerScorer(recommender=recommender, vectors_ID=vectors_ID)
    block = hold_out(next(iter(snapshot.sequences(SplitConfig()))), "test")

    def scores(left_out: bool, name: str) -> np.ndarray:
        columns = np.full(recommender.dim, left_out)
        columns[recommender.columns_of(name)] = not left_out
        return MemberScorer(blend=blend, columns=columns).score(block.histories, block.times)

    whole = blend.score(block.histories, block.times)
    np.testing.assert_allclose(scores(False, "a") + scores(False, "b"), whole, atol=1e-4)
    np.testing.assert_allclose(scores(True, "a"), scores(False, "b"), atol=1e-6)
    for name, model in models.items():
        own = TwoTowerScorer.load(model).score(block.histories, block.times)
        same = np.argsort(-own, axis=1) == np.argsort(-scores(False, name), axis=1)
        assert same.all()


def test_a_model_without_members_is_refused(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=8, num_items=10)
    checkpoint = make_checkpoint(workspace, snapshot)
    with pytest.raises(ArtifactError, match="expected a blend in test-checkpoint"):
        MemberScorer.load(checkpoint, "test", "a", left_out=False)
