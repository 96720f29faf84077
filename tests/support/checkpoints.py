"""Checkpoints for tests: an untrained small model, or one whose item vectors are told."""

import io

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.arrays import ITEM_VECTORS
from visrec.config import (
    ItemTowerConfig,
    ModelConfig,
    SplitConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower, TwoTowerRecommender
from visrec.models.checkpoint import Checkpoint
from visrec.models.epochs import EPOCHS
from visrec.models.item_inputs import Pictures
from visrec.storage import ArtifactStore

TINY_MODEL = ModelConfig(
    dim=8,
    item=ItemTowerConfig(backbone=None, id_embedding=True),
    user=UserTowerConfig(hidden_dim=8, max_length=10),
)


def make_checkpoint(
    workspace: ArtifactStore,
    snapshot: Snapshot,
    *,
    split: SplitConfig | None = None,
    model: ModelConfig = TINY_MODEL,
    name: str = "test-checkpoint",
    seed: int = 0,
    item_counts: NDArray[np.float32] | None = None,
) -> Checkpoint:
    """Write an untrained model as training would, and point `latest` at it.

    `item_counts` [I] gives the items biases by popularity; without them all biases are 0.
    """
    job = TrainWorkloadConfig(
        workspace="test",
        snapshot=snapshot.name,
        model=model,
        training=TrainingConfig(split=split or SplitConfig()),
    )
    torch.manual_seed(seed)
    towers = TwoTower(model, num_items=snapshot.num_items, image_facts=snapshot.image_facts)
    towers.set_item_counts(
        torch.ones(snapshot.num_items) if item_counts is None else torch.from_numpy(item_counts)
    )
    if towers.user_tower.waits is not None:
        torch.nn.init.normal_(towers.user_tower.waits.weight)
    recommender = TwoTowerRecommender(
        towers, model, num_items=snapshot.num_items, image_facts=snapshot.image_facts
    )
    with workspace.create("checkpoints", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        recommender.save(writer.staging)
        vectors_ID = recommender.encode_items(Pictures.of(snapshot), np.arange(snapshot.num_items))
        (writer.staging / ITEM_VECTORS).write_bytes(npy(vectors_ID))
        (writer.staging / EPOCHS).write_text("[]")
        writer.counts.update(num_epochs=0, num_items=snapshot.num_items)
    workspace.point("checkpoints", name)
    assert writer.result is not None
    return Checkpoint(writer.result)


def npy(array: NDArray[np.float32]) -> bytes:
    """The bytes of a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
