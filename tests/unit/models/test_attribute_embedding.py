"""Attribute embedding: hand-worked vectors, and items without attributes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.snapshots import make_snapshot
from tests.support.training import run_training

from visrec.config import (
    ItemTowerConfig,
    ModelConfig,
    PhaseConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.data.attributes import AttributeFacts
from visrec.errors import ConfigError
from visrec.models import TwoTowerRecommender
from visrec.models.item_inputs import Pictures
from visrec.models.item_tower import AttributeEmbedding
from visrec.storage import ArtifactStore, Location


def test_the_mean_of_the_categories_plus_the_price_level() -> None:
    facts = AttributeFacts(categories=("blue", "red"), price_edges=(10.0,))
    embedding = AttributeEmbedding(facts, {"categories", "price"}, dim=2, num_items=2)
    assert embedding.categories is not None
    assert embedding.prices is not None
    with torch.no_grad():
        embedding.categories.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 4.0]]))
        embedding.prices.weight.copy_(torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]))
    codes = facts.category_codes([["blue", "red"], ["red"]]), facts.price_codes([99.0, None])
    embedding.set_codes(*(torch.from_numpy(array) for array in codes))
    expected = torch.tensor([[0.5, 12.0], [0.0, 4.0], [0.0, 0.0]])
    torch.testing.assert_close(embedding(torch.tensor([0, 1, -1])), expected)


def job(**item: object) -> TrainWorkloadConfig:
    model = ModelConfig(dim=4, item=ItemTowerConfig(width=4, **item), user=UserTowerConfig(hidden_dim=8))
    return TrainWorkloadConfig(
        model=model, training=TrainingConfig(phases=(PhaseConfig(epochs=1, batch_size=4),))
    )


def test_attributes_are_trained_saved_and_read(tmp_path: Path) -> None:
    categories = [["even"] if item % 2 == 0 else ["odd"] for item in range(6)]
    histories = [[0, 2, 4, 1], [1, 3, 5, 0], [2, 4, 0, 3], [3, 5, 1, 2]]
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), histories, num_items=6, categories=categories)
    run_training(job(attributes=["categories"]), snapshot, tmp_path / "run")
    recommender = TwoTowerRecommender.load(Location.parse(tmp_path / "run" / "last"))
    assert recommender.attributes is not None
    assert recommender.attributes.categories == ("even", "odd")
    pictures = snapshot.images.read(snapshot.image_rows)
    from_pixels = recommender.encode_pictures(pictures)
    whole = recommender.encode_items(Pictures.of(snapshot), np.arange(snapshot.num_items))
    added = torch.from_numpy(whole - from_pixels)
    torch.testing.assert_close(added[0], added[2], atol=1e-5, rtol=0)
    assert float((added[0] - added[1]).abs().max()) > 1e-3


def test_attributes_that_the_catalogue_lacks_are_one_line(tmp_path: Path) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2]], num_items=3)
    with pytest.raises(
        ConfigError, match=r"expected categories in the catalogue, found none; map the column"
    ):
        run_training(job(attributes=["categories"]), snapshot, tmp_path / "run")
