"""The vector of an item with several pictures is the mean of their vectors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.support.snapshots import make_snapshot

from visrec.config import ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.data.images import PictureRows
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower, TwoTowerRecommender
from visrec.models.item_inputs import Pictures, mean_over_pictures
from visrec.storage import ArtifactStore

NUM_ITEMS = 4
FURTHER = [[4, 5], [], [6], []]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3)).astype(np.uint8)
    workspace = ArtifactStore(str(tmp_path))
    return make_snapshot(
        workspace, [[0, 1, 2, 3]], num_items=NUM_ITEMS, images=images, further_pictures=FURTHER
    )


def make(snapshot: Snapshot, item: ItemTowerConfig) -> TwoTowerRecommender:
    torch.manual_seed(0)
    config = ModelConfig(dim=8, item=item, user=UserTowerConfig(hidden_dim=8))
    facts = snapshot.image_facts
    model = TwoTower(config, num_items=NUM_ITEMS, image_facts=facts)
    model.set_item_counts(torch.tensor([1.0, 1.0, 1.0, 0.0]))
    return TwoTowerRecommender(model, config, num_items=NUM_ITEMS, image_facts=facts)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 256])
def test_an_item_is_the_mean_of_its_pictures_and_has_its_id_once(snapshot: Snapshot, batch_size: int) -> None:
    recommender = make(snapshot, ItemTowerConfig(width=4, id_embedding=True))
    inputs, asked = Pictures.of(snapshot), np.array([2, 0, 1, 3])
    pixels = recommender.encode_pictures(snapshot.images.read(np.arange(7)))
    means = np.array([pixels[[2, 6]].mean(0), pixels[[0, 4, 5]].mean(0), pixels[1], pixels[3]])
    alone = recommender.encode_items(inputs, asked, batch_size=batch_size, from_pixels_alone=True)
    np.testing.assert_allclose(alone, means, atol=1e-6)
    ids = recommender.weights()["item_tower.ids.weight"].numpy()[asked] * np.array([[1], [1], [1], [0]])
    whole = recommender.encode_items(inputs, asked, batch_size=batch_size)
    np.testing.assert_allclose(whole, means + ids, atol=1e-6)
    assert whole.dtype == np.float32


def test_items_with_one_picture_are_as_if_no_item_had_more(snapshot: Snapshot) -> None:
    recommender = make(snapshot, ItemTowerConfig(width=4))
    one = Pictures(
        images=snapshot.images, rows=PictureRows.one_each(snapshot.image_rows), facts=snapshot.image_facts
    )
    vectors = recommender.encode_items(one, np.arange(NUM_ITEMS))
    pictures = snapshot.images.read(snapshot.image_rows)
    assert vectors.tobytes() == recommender.encode_pictures(pictures, np.arange(4, dtype=np.int32)).tobytes()
    several = recommender.encode_items(Pictures.of(snapshot), np.array([1, 3]))
    assert several.tobytes() == recommender.encode_items(one, np.array([1, 3])).tobytes()


def test_a_model_without_pixels_reads_no_picture(snapshot: Snapshot) -> None:
    recommender = make(snapshot, ItemTowerConfig(backbone=None, id_embedding=True))
    vectors = recommender.encode_items(Pictures.of(snapshot), np.arange(NUM_ITEMS))
    ids = recommender.weights()["item_tower.ids.weight"].numpy()
    assert np.array_equal(vectors[:3], ids[:3])


@pytest.mark.parametrize(
    ("batch_size", "expected"), [(3, [[0, 1], [2], [3, 4]]), (1, [[0], [1], [2], [3], [4]])]
)
def test_batches_hold_whole_items(batch_size: int, expected: list[list[int]]) -> None:
    rows = PictureRows.of_rows(np.array([0, 1, 2, 2, 2, 3, 4, 4]), num_items=5)
    seen: list[int] = []

    def encode(rows_P: NDArray[np.int32], index_P: NDArray[np.int64]) -> NDArray[np.float32]:
        seen.append(len(rows_P))
        return np.stack([rows_P, index_P], axis=1).astype(np.float32)

    parts = list(mean_over_pictures(rows, np.arange(5), encode, batch_size=batch_size))
    assert [list(range(5))[part] for part, _ in parts] == expected
    assert np.concatenate([means for _, means in parts]).tolist() == [
        [0, 0],
        [1, 1],
        [3, 2],
        [5, 3],
        [6.5, 4],
    ]
    assert sum(seen) == 8
    assert list(mean_over_pictures(rows, np.arange(0), encode, batch_size=4)) == []
