"""Items with several pictures: a step draws one of them, item vectors are the mean over all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.snapshots import make_snapshot, sequences_of
from tests.support.training import run_training, saved_weights

from visrec.config import (
    ItemTowerConfig,
    ModelConfig,
    PhaseConfig,
    TopBlocksConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    TransitionsConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Sequences, Snapshot
from visrec.models import TwoTowerRecommender
from visrec.models.item_inputs import Pictures
from visrec.storage import ArtifactStore, Location
from visrec.training.batches import BatchStream

HISTORIES = [[0, 1, 2, 3, 4], [1, 2, 3, 0, 5], [5, 4, 0, 1, 2], [2, 3, 5, 4, 1], [4, 0, 1, 2, 3]]
FURTHER = [[6, 7], [], [8], [], [], []]
NUM_PICTURES = np.array([3, 1, 2, 1, 1, 1])


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    images = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3)).astype(np.uint8)
    workspace = ArtifactStore(str(tmp_path / "workspace"))
    return make_snapshot(workspace, HISTORIES, num_items=6, images=images, further_pictures=FURTHER)


def job(*phases: PhaseConfig, backbone: str = "small_cnn", **settings: Any) -> TrainWorkloadConfig:
    model = ModelConfig(
        dim=16,
        item=ItemTowerConfig(backbone=backbone, width=4, id_embedding=True, dropout=0),
        user=UserTowerConfig(hidden_dim=8, max_length=10),
    )
    return TrainWorkloadConfig(model=model, training=TrainingConfig(phases=phases, **settings))


def draws(seed: int, epochs: int = 6) -> list[tuple[int, int]]:
    """Every (item, which of its pictures) of some epochs, in order."""

    def blocks() -> Iterator[Sequences]:
        yield sequences_of(HISTORIES)

    stream = BatchStream(
        blocks=blocks,
        phase=PhaseConfig(batch_size=2),
        max_length=10,
        candidates=np.arange(6, dtype=np.int32),
        num_items=6,
        seed=seed,
        num_pictures_I=NUM_PICTURES,
    )
    return [
        pair
        for epoch in range(epochs)
        for batch in stream.epoch(epoch)
        for pair in zip(batch.item_index_N.tolist(), batch.pictures_N.tolist(), strict=True)
    ]


def test_every_picture_of_an_item_is_drawn_in_time_and_no_other() -> None:
    expected = {(item, which) for item, count in enumerate(NUM_PICTURES) for which in range(count)}
    assert set(draws(seed=0)) == expected


def test_the_seed_decides_what_is_drawn() -> None:
    assert draws(seed=0) == draws(seed=0) != draws(seed=1)


def test_the_vectors_at_the_end_are_means_over_all_pictures(snapshot: Snapshot, tmp_path: Path) -> None:
    phase = PhaseConfig(epochs=2, batch_size=2)
    run_training(job(phase), snapshot, tmp_path / "run")
    recommender = TwoTowerRecommender.load(Location.parse(tmp_path / "run" / "last"))
    vectors = np.load(tmp_path / "run" / "last" / "item_vectors.npy")
    own = recommender.encode_pictures(snapshot.images.read(np.array([0, 6, 7])), np.zeros(3, np.int32))
    np.testing.assert_allclose(vectors[0], own.mean(0), atol=1e-6)


def test_two_runs_agree_and_the_further_pictures_matter(snapshot: Snapshot, tmp_path: Path) -> None:
    one = make_snapshot(
        ArtifactStore(str(tmp_path / "one")),
        HISTORIES,
        num_items=6,
        images=snapshot.images.read(np.arange(9)),
    )
    weights = []
    for name, shown in (("first", snapshot), ("again", snapshot), ("one", one)):
        run_training(job(PhaseConfig(epochs=2, batch_size=2)), shown, tmp_path / name)
        weights.append(saved_weights(tmp_path / name)["item_tower.projection.2.weight"])
    assert weights[0].tobytes() == weights[1].tobytes() != weights[2].tobytes()


@pytest.mark.parametrize("trainable", ["head", TopBlocksConfig(top=1)])
def test_cached_activations_give_the_same_run_as_pixels(
    snapshot: Snapshot, tmp_path: Path, trainable: Any
) -> None:
    phase = PhaseConfig(epochs=2, batch_size=2, trainable=trainable, batch_norm="frozen")
    losses, vectors = [], []
    for size in (0.0, 1.0):
        folder = tmp_path / str(size)
        epochs = run_training(
            job(phase, backbone="efficientnet_lite0", activation_cache_gb=size), snapshot, folder
        ).epochs
        losses.append([e.loss for e in epochs])
        vectors.append(np.load(folder / "last" / "item_vectors.npy"))
        assert [e.images_per_second > 0 for e in epochs] == [size == 0] * 2
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_a_closed_form_sees_the_mean_of_the_features(snapshot: Snapshot, tmp_path: Path) -> None:
    phase = PhaseConfig(
        name="solved",
        trainable="head",
        closed_form=TransitionsConfig(kind="transitions", ridge=1.0, picture_ridge=0.1),
    )
    run_training(job(phase), snapshot, tmp_path / "run")
    recommender = TwoTowerRecommender.load(Location.parse(tmp_path / "run" / "last"))
    vectors = np.load(tmp_path / "run" / "last" / "item_vectors.npy")
    # The id vector holds what the pictures leave over, so that the whole is the solution for each item: the same as
    # where items have one picture.
    one = make_snapshot(ArtifactStore(str(tmp_path / "one")), HISTORIES, num_items=6)
    run_training(job(phase), one, tmp_path / "plain")
    plain = np.load(tmp_path / "plain" / "last" / "item_vectors.npy")
    known = recommender.weights()["item_counts"].numpy() > 0
    np.testing.assert_allclose(vectors[known], plain[known], atol=1e-4)
    pixels = recommender.encode_items(Pictures.of(snapshot), np.arange(6), from_pixels_alone=True)
    ids = recommender.weights()["item_tower.ids.weight"].numpy()
    np.testing.assert_allclose(vectors[known], (pixels + ids)[known], atol=1e-5)
