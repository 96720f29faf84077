from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import HOUR_MS, START_MS, make_snapshot

from visrec.config import EventKind, RankerConfig
from visrec.data.snapshot import Snapshot
from visrec.ranking.learn import Learned, learn_ranker
from visrec.storage import Artifact, Workspace

CONFIG = RankerConfig(
    num_candidates=10, tasks=("click",), min_task_examples=5, epochs=2, folds=2, hidden_dim=2, batch_size=16
)
NUM_USERS, NUM_ITEMS = 24, 10


@pytest.fixture(scope="module")
def learned_from(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, Snapshot]:
    """Each user takes four items and skips a fifth after the second of them: among the impressions learned from."""
    workspace = Workspace(str(tmp_path_factory.mktemp("learn")))
    rng = np.random.default_rng(0)
    orders = [rng.permutation(NUM_ITEMS).tolist() for _ in range(NUM_USERS)]
    skips: list[tuple[int, int, int, EventKind]] = [
        (user, order[4], START_MS + 3 * HOUR_MS // 2, "skip") for user, order in enumerate(orders)
    ]
    histories = [order[:4] for order in orders]
    snapshot = make_snapshot(workspace, histories, num_items=NUM_ITEMS, rejections=skips)
    return make_checkpoint(workspace, snapshot), snapshot


def learn(learned_from: tuple[Artifact, Snapshot], **changes: object) -> Learned:
    return learn_ranker(*learned_from, CONFIG.replace(**changes), seed=0)


def test_the_order_is_judged_by_the_weights_of_the_tasks(
    learned_from: tuple[Artifact, Snapshot],
) -> None:
    """A weight below 0 turns the order round; the towers' order, and each task by itself, stay as they are."""
    plain = learn(learned_from)
    turned = learn(learned_from, task_weights={"positive": -1.0})
    assert turned.order.retrieved == plain.order.retrieved
    assert turned.tasks == plain.tasks
    assert turned.order.ranked.mean != plain.order.ranked.mean
    assert turned.order.ranked.mean != turned.order.retrieved.mean
