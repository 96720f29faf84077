"""Items with several pictures under attack: their main pictures change, the others stay."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import make_snapshot
from tests.unit.robustness.conftest import PIXEL_MODEL

from visrec.data.snapshot import Snapshot
from visrec.models import TwoTowerRecommender
from visrec.models.checkpoint import Checkpoint
from visrec.models.item_inputs import Pictures
from visrec.robustness.corruptions import CorruptedPictures, corrupt
from visrec.robustness.pictures import MainPictures
from visrec.robustness.plan import Corruption
from visrec.storage import ArtifactStore

ITEMS = np.array([0, 2], np.int32)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("several")))
    snapshot = make_snapshot(
        workspace, [[0, 1, 2]], num_items=3, images=images, further_pictures=[[3, 4], [5], []]
    )
    make_checkpoint(workspace, snapshot, model=PIXEL_MODEL)
    return snapshot


@pytest.fixture(scope="module")
def recommender(snapshot: Snapshot) -> TwoTowerRecommender:
    workspace = ArtifactStore(str(Path(snapshot.artifact.location.path).parent.parent))
    return TwoTowerRecommender.load(Checkpoint.find(workspace).location)


def test_the_main_picture_has_its_share(snapshot: Snapshot, recommender: TwoTowerRecommender) -> None:
    changed = 255 - snapshot.images.read(snapshot.image_rows[ITEMS])
    new = recommender.encode_pictures(changed, ITEMS)
    old = recommender.encode_pictures(snapshot.images.read(np.array([3, 4])), np.zeros(2, np.int32))
    targets = MainPictures.of(recommender, snapshot, ITEMS)
    vectors = targets.encode(changed)
    np.testing.assert_allclose(vectors[0], (new[0] + old[0] + old[1]) / 3, atol=1e-6)
    assert np.array_equal(vectors[1], new[1])  # its only picture
    pictures = torch.from_numpy(changed).float().requires_grad_(True)
    targets.vectors(pictures).sum().backward()  # type: ignore[no-untyped-call]
    alone = torch.from_numpy(changed).float().requires_grad_(True)
    recommender.vectors_with_gradient(alone, ITEMS).sum().backward()  # type: ignore[no-untyped-call]
    assert pictures.grad is not None and alone.grad is not None
    torch.testing.assert_close(pictures.grad, alone.grad / torch.tensor([3.0, 1.0]).view(2, 1, 1, 1))


def test_unchanged_pictures_give_the_items_vectors(
    snapshot: Snapshot, recommender: TwoTowerRecommender
) -> None:
    targets = MainPictures.of(recommender, snapshot, ITEMS)
    vectors = targets.encode(snapshot.images.read(snapshot.image_rows[ITEMS]))
    expected = recommender.encode_items(Pictures.of(snapshot), ITEMS)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_corruption_hits_every_picture_with_noise_of_its_own(snapshot: Snapshot) -> None:
    corrupted = CorruptedPictures(
        pictures=Pictures.of(snapshot), corruption=Corruption(name="noise", severity="strong"), seed=4
    )
    rows = np.array([0, 3, 2], np.int32)
    pictures = snapshot.images.read(rows)
    # A main picture's noise follows from the item, so that it is that of a catalogue of main pictures alone.
    expected = corrupt(pictures[[0, 2]], "noise", "strong", numbers=np.array([0, 2]), seed=4)
    found = corrupted.read(rows)
    assert np.array_equal(found[[0, 2]], expected)
    assert not np.array_equal(found[1], pictures[1])
    same = corrupt(pictures[[1]], "noise", "strong", numbers=np.array([0]), seed=4)
    assert not np.array_equal(found[1], same[0])
