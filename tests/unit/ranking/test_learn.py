from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import HOUR_MS, START_MS, make_snapshot

from visrec.config import EventKind, RankerConfig
from visrec.data.snapshot import Snapshot
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.fit import fold_of
from visrec.ranking.learn import RankerTraining, train_ranker
from visrec.storage import Workspace

CONFIG = RankerConfig(
    num_candidates=10, tasks=("click",), min_task_examples=5, epochs=2, folds=3, hidden_dim=2, batch_size=16
)
NUM_USERS, NUM_ITEMS = 24, 10


def make_inputs(folder: Path, skipping: NDArray[np.bool_]) -> tuple[Checkpoint, Snapshot]:
    """Each user takes four items, some skip a fifth after the second: it is among the impressions learned from."""
    workspace, rng = Workspace(str(folder)), np.random.default_rng(0)
    orders = [rng.permutation(NUM_ITEMS).tolist() for _ in range(NUM_USERS)]
    skips: list[tuple[int, int, int, EventKind]] = [
        (int(user), orders[user][4], START_MS + 3 * HOUR_MS // 2, "skip") for user in np.flatnonzero(skipping)
    ]
    histories = [order[:4] for order in orders]
    snapshot = make_snapshot(workspace, histories, num_items=NUM_ITEMS, rejections=skips)
    return make_checkpoint(workspace, snapshot), snapshot


def learn(inputs: tuple[Checkpoint, Snapshot], **changes: object) -> RankerTraining:
    return train_ranker(*inputs, CONFIG.replace(**changes), seed=0)


def test_the_order_is_judged_by_the_weights_of_the_tasks(tmp_path: Path) -> None:
    """A weight below 0 turns the order round; the towers' order, and each task by itself, stay as they are."""
    inputs = make_inputs(tmp_path, np.ones(NUM_USERS, np.bool_))
    plain = learn(inputs)
    turned = learn(inputs, task_weights={"positive": -1.0})
    assert set(plain.tasks) == {"positive", "click"}
    assert turned.order.retrieved == plain.order.retrieved
    assert turned.tasks == plain.tasks
    assert turned.order.ranked.mean != plain.order.ranked.mean
    assert turned.order.ranked.mean != turned.order.retrieved.mean


def test_impressions_that_are_learned_from_are_no_part_of_their_own_appeal(tmp_path: Path) -> None:
    """They hold the only rows that are no positives: without them nothing is known of any item's appeal."""
    learned = learn(make_inputs(tmp_path, np.ones(NUM_USERS, np.bool_)))
    assert learned.num_impressions == 2 * NUM_USERS  # each user's skip and validation event
    assert "appeal" not in learned.ranker.names


@pytest.mark.parametrize("num_parts", [2, CONFIG.folds])
def test_a_task_without_failures_in_some_part_of_the_users_is_left_out(
    tmp_path: Path, num_parts: int
) -> None:
    """Two parts: those of the users that calibration is judged in; else those of cross-fitting."""
    seed = 1 if num_parts == 2 else 0
    skipping = fold_of(np.arange(NUM_USERS, dtype=np.int32), num_parts, seed) == 0
    learned = learn(make_inputs(tmp_path, skipping), calibration="platt", min_task_examples=2)
    assert set(learned.tasks) == {"positive"}
