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
from visrec.models import BlendedRecommender, BlendMember, Recommender, TwoTower, TwoTowerRecommender
from visrec.models.blend_facts import SELECTION
from visrec.models.checkpoint import Checkpoint
from visrec.models.epochs import EPOCHS
from visrec.models.item_inputs import Pictures
from visrec.storage import ArtifactStore, Location

TINY_MODEL = ModelConfig(
    dim=8,
    item=ItemTowerConfig(backbone=None, id_embedding=True),
    user=UserTowerConfig(hidden_dim=8, max_length=10),
)

PICTURE_MODEL = TINY_MODEL.replace(item=ItemTowerConfig(width=4))
"""Knows items by their pixels."""


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
    recommender = _untrained(snapshot, model, seed, item_counts)
    with workspace.create("checkpoints", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        _save(recommender, snapshot, writer.staging)
        (writer.staging / EPOCHS).write_text("[]")
        writer.counts.update(num_epochs=0, num_items=snapshot.num_items)
    workspace.point("checkpoints", name)
    assert writer.result is not None
    return Checkpoint(writer.result)


def make_blend_checkpoint(
    workspace: ArtifactStore, snapshot: Snapshot, *, name: str = "test-blend", seed: int = 0
) -> Checkpoint:
    """Write an untrained blend of ids and pictures as training would, and one of other weights as before its refit."""
    job = TrainWorkloadConfig(workspace="test", snapshot=snapshot.name)
    with workspace.create("checkpoints", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        _save(_untrained_blend(snapshot, seed), snapshot, writer.staging)
        _save(_untrained_blend(snapshot, seed + 2), snapshot, (writer.staging / SELECTION).make_dirs())
        (writer.staging / EPOCHS).write_text("[]")
        writer.counts.update(num_epochs=0, num_items=snapshot.num_items)
    workspace.point("checkpoints", name)
    assert writer.result is not None
    return Checkpoint(writer.result)


def _untrained(
    snapshot: Snapshot, model: ModelConfig, seed: int, item_counts: NDArray[np.float32] | None = None
) -> TwoTowerRecommender:
    torch.manual_seed(seed)
    towers = TwoTower(model, num_items=snapshot.num_items, image_facts=snapshot.image_facts)
    towers.set_item_counts(
        torch.ones(snapshot.num_items) if item_counts is None else torch.from_numpy(item_counts)
    )
    if towers.user_tower.waits is not None:
        torch.nn.init.normal_(towers.user_tower.waits.weight)
    return TwoTowerRecommender(towers, model, num_items=snapshot.num_items, image_facts=snapshot.image_facts)


def _untrained_blend(snapshot: Snapshot, seed: int) -> BlendedRecommender:
    counts = np.asarray(snapshot.items.column("num_positives"), np.float32) + 1
    items, inputs = np.arange(snapshot.num_items), Pictures.of(snapshot)
    members = []
    for place, (name, model) in enumerate({"ids": TINY_MODEL, "pictures": PICTURE_MODEL}.items()):
        recommender = _untrained(snapshot, model, seed + place, counts)
        vectors_IM = recommender.encode_items(inputs, items)
        members.append(BlendMember.of(name, recommender, vectors_IM, weight=1.0 + place))
    return BlendedRecommender(members)


def _save(recommender: Recommender, snapshot: Snapshot, folder: Location) -> None:
    recommender.save(folder)
    vectors_ID = recommender.encode_items(Pictures.of(snapshot), np.arange(snapshot.num_items))
    (folder / ITEM_VECTORS).write_bytes(npy(vectors_ID))


def npy(array: NDArray[np.float32]) -> bytes:
    """The bytes of a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
