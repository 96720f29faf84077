from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import TINY_MODEL, make_checkpoint, npy
from tests.support.snapshots import HOUR_MS, checkerboard_snapshot, sequences_of

from visrec.errors import ArtifactError
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.models import History
from visrec.models.checkpoint import Checkpoint
from visrec.storage import ArtifactStore


@pytest.mark.parametrize("recency", [False, True])
def test_scores_are_those_of_the_model(tmp_path: Path, recency: bool) -> None:
    workspace = ArtifactStore(str(tmp_path))
    config = TINY_MODEL.replace(user=TINY_MODEL.user.replace(recency=recency))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=24)
    checkpoint = make_checkpoint(workspace, snapshot, model=config)
    scorer = TwoTowerScorer.load(checkpoint)
    long = list(range(12))  # longer than the model looks back
    block = sequences_of([long, [3, 7]])
    model = checkpoint.recommender()
    moments = block.times[block.offsets[1:] - 1] + np.array([60_000, 30 * 24 * HOUR_MS])
    queries = model.encode_users(
        [
            History(items=block.items[:12], kinds=block.kinds[:12], times=block.times[:12]),
            History(items=block.items[12:], kinds=block.kinds[12:], times=block.times[12:]),
        ],
        scorer.vectors_ID,
        moments,
    )
    expected = queries @ scorer.vectors_ID.T + model.item_biases
    assert scorer.score(block, moments) == pytest.approx(expected, abs=1e-5)
    assert (
        scorer.score(block, moments + 365 * 24 * HOUR_MS) == scorer.score(block, moments)
    ).all() != recency


def test_vectors_that_do_not_fit_are_told(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    checkpoint = make_checkpoint(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=24))
    place = checkpoint.location / "item_vectors.npy"
    place.write_bytes(npy(np.zeros((23, 8), np.float32)))
    with pytest.raises(ArtifactError, match=r"expected item vectors of shape \(24, 8\).*got \(23, 8\)"):
        TwoTowerScorer.load(checkpoint)
    place.write_bytes(b"not an array")
    with pytest.raises(ArtifactError, match="expected item vectors at"):
        TwoTowerScorer.load(Checkpoint.find(workspace))
    place.delete()
    with pytest.raises(ArtifactError, match="expected item vectors at"):
        TwoTowerScorer.load(Checkpoint.find(workspace))
