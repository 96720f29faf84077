from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import HOUR_MS, START_MS, make_snapshot

from visrec.config import EventKind, RankerConfig
from visrec.data.snapshot import Snapshot
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.fitting import fold_of
from visrec.ranking.train import RankerTraining, train_ranker
from visrec.storage import ArtifactStore

CONFIG = RankerConfig(
    num_candidates=10, tasks=("click",), min_task_examples=5, epochs=2, folds=3, hidden_dim=2, batch_size=16
)
NUM_USERS, NUM_ITEMS = 24, 10


def make_inputs(folder: Path, skipping: NDArray[np.bool_]) -> tuple[Checkpoint, Snapshot]:
    """Each user has four positives, some skip a fifth item after the second: it is among the impressions."""
    workspace, rng = ArtifactStore(str(folder)), np.random.default_rng(0)
    orders = [rng.permutation(NUM_ITEMS).tolist() for _ in range(NUM_USERS)]
    skips: list[tuple[int, int, int, EventKind]] = [
        (int(user), orders[user][4], START_MS + 3 * HOUR_MS // 2, "skip") for user in np.flatnonzero(skipping)
    ]
    histories = [order[:4] for order in orders]
    snapshot = make_snapshot(workspace, histories, num_items=NUM_ITEMS, rejections=skips)
    return make_checkpoint(workspace, snapshot), snapshot


def train(inputs: tuple[Checkpoint, Snapshot], **changes: object) -> RankerTraining:
    return train_ranker(*inputs, CONFIG.replace(**changes), seed=0)


def test_the_quality_of_the_order_depends_on_the_task_weights(tmp_path: Path) -> None:
    """A negative weight inverts the order; the retriever's order, and each task by itself, stay the same."""
    inputs = make_inputs(tmp_path, np.ones(NUM_USERS, np.bool_))
    plain = train(inputs)
    inverted = train(inputs, task_weights={"positive": -1.0})
    assert set(plain.tasks) == {"positive", "click"}
    assert inverted.order.retrieved == plain.order.retrieved
    assert inverted.tasks == plain.tasks
    assert inverted.order.ranked.mean != plain.order.ranked.mean
    assert inverted.order.ranked.mean != inverted.order.retrieved.mean


def test_training_impressions_are_no_part_of_their_own_ctr(tmp_path: Path) -> None:
    """They hold the only rows that are not positives: without them no item has a CTR, and the feature is missing."""
    training = train(make_inputs(tmp_path, np.ones(NUM_USERS, np.bool_)))
    assert training.num_impressions == 2 * NUM_USERS  # each user's skip and validation event
    assert "appeal" not in training.ranker.names


@pytest.mark.parametrize("num_parts", [2, CONFIG.folds])
def test_a_task_without_failures_in_some_part_of_the_users_is_left_out(
    tmp_path: Path, num_parts: int
) -> None:
    """Two parts: the halves of the users that calibration is measured on; else the folds of cross-fitting."""
    seed = 1 if num_parts == 2 else 0
    skipping = fold_of(np.arange(NUM_USERS, dtype=np.int32), num_parts, seed) == 0
    training = train(make_inputs(tmp_path, skipping), calibration="platt", min_task_examples=2)
    assert set(training.tasks) == {"positive"}
