from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint, npy
from tests.support.snapshots import checkerboard_snapshot, sequences_of

from visrec.errors import ArtifactError
from visrec.evaluation.scorers.two_tower import TwoTowerScorer
from visrec.models import History, Recommender
from visrec.storage import Workspace


def test_scores_are_those_of_the_model(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    checkpoint = make_checkpoint(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=24))
    scorer = TwoTowerScorer.load(checkpoint)
    long = list(range(12))  # longer than the model looks back
    block = sequences_of([long, [3, 7]])
    model = Recommender.load(checkpoint.location)
    queries = model.encode_users(
        [
            History(block.items[:12], block.kinds[:12], block.times[:12]),
            History(block.items[12:], block.kinds[12:], block.times[12:]),
        ],
        scorer.vectors_ID,
    )
    expected = queries @ scorer.vectors_ID.T + model.item_biases
    assert scorer.score(block, block.times) == pytest.approx(expected, abs=1e-5)


def test_vectors_that_do_not_fit_are_told(tmp_path: Path) -> None:
    workspace = Workspace(str(tmp_path))
    checkpoint = make_checkpoint(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=24))
    place = checkpoint.location / "item_vectors.npy"
    place.write_bytes(npy(np.zeros((23, 8), np.float32)))
    with pytest.raises(ArtifactError, match=r"expected item vectors of shape \(24, 8\).*got \(23, 8\)"):
        TwoTowerScorer.load(checkpoint)
    place.write_bytes(b"not an array")
    with pytest.raises(ArtifactError, match="expected item vectors at"):
        TwoTowerScorer.load(checkpoint)
    place.delete()
    with pytest.raises(ArtifactError, match="expected item vectors at"):
        TwoTowerScorer.load(checkpoint)
