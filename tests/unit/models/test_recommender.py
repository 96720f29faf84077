"""TwoTowerRecommender: save and load, batched = single, serving = training, damaged files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.snapshots import checkerboard_snapshot, sequences_of

from visrec.config import ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.data.images import ImageFacts
from visrec.errors import ArtifactError, VisrecError
from visrec.models import History, TwoTower, TwoTowerRecommender, time_buckets
from visrec.models.item_inputs import Pictures
from visrec.storage import ArtifactStore, Location
from visrec.training.examples import TrainingExample, Window, collate
from visrec.training.losses import softmax_loss
from visrec.training.negatives.per_sequence import PerSequenceNegatives

FACTS = ImageFacts(height=8, width=8, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
CONFIG = ModelConfig(
    dim=8,
    item=ItemTowerConfig(width=8, id_embedding=True),
    user=UserTowerConfig(hidden_dim=16, max_length=4),
)


def make(config: ModelConfig = CONFIG) -> TwoTowerRecommender:
    torch.manual_seed(0)
    model = TwoTower(config, num_items=20, image_facts=FACTS)
    model.set_item_counts(torch.arange(20.0))
    return TwoTowerRecommender(model, config, num_items=20, image_facts=FACTS)


def history(items: list[int]) -> History:
    times = np.arange(len(items), dtype=np.int64) * 60_000
    return History(items=np.array(items, np.int32), kinds=np.ones(len(items), np.int8), times=times)


def test_saved_and_loaded_it_gives_the_same_vectors(tmp_path: Path) -> None:
    before = make()
    before.save(Location.parse(tmp_path))
    after = TwoTowerRecommender.load(Location.parse(tmp_path))
    pictures = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), np.uint8)
    index = np.array([1, 2, -1, 0, 7], np.int32)
    np.testing.assert_array_equal(
        before.encode_pictures(pictures, index), after.encode_pictures(pictures, index)
    )
    np.testing.assert_array_equal(before.item_biases, after.item_biases)
    assert after.image_facts == FACTS
    assert after.config == CONFIG


def test_many_histories_at_once_equal_one_at_a_time() -> None:
    recommender = make()
    vectors = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    histories = [history([1, 2, 3]), history([5]), history([]), history([9, 8, 7, 6, 5, 4])]
    together = recommender.encode_users(histories, vectors)
    alone = np.concatenate([recommender.encode_users([h], vectors) for h in histories])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert (together[2] == 0).all()


def test_only_the_most_recent_events_count() -> None:
    recommender = make()
    vectors = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    long, recent = history([9, 8, 7, 6, 5, 4]), history([7, 6, 5, 4])
    np.testing.assert_allclose(
        recommender.encode_users([long], vectors), recommender.encode_users([recent], vectors), atol=1e-6
    )


def test_serving_a_history_equals_the_training_forward_pass() -> None:
    recommender = make()
    model = recommender._model
    vectors = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    one = history([3, 1, 4])
    with torch.no_grad():
        users = model.user_tower(
            torch.from_numpy(vectors[one.items])[None],
            torch.from_numpy(one.kinds.astype(np.int64))[None],
            time_buckets(torch.from_numpy(one.times))[None],
        )
    np.testing.assert_allclose(recommender.encode_users([one], vectors)[0], users[0, -1].numpy(), atol=1e-6)


def with_recency() -> TwoTowerRecommender:
    recommender = make(CONFIG.replace(user=CONFIG.user.replace(recency=True)))
    waits = recommender._model.user_tower.waits
    assert waits is not None
    torch.nn.init.normal_(waits.weight)
    return recommender


def test_the_request_time_changes_the_vector_of_a_model_with_recency_only() -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    histories = [history([3, 1, 4]), history([5])]
    last = np.array([120_000, 0])
    soon, later = last + 1_000, last + 3_600_000
    model, plain = with_recency(), make()
    at_once, after = (model.encode_users(histories, vectors, moments) for moments in (soon, later))
    assert (np.abs(at_once - after).max(axis=1) > 1e-3).all()
    one_each = model.encode_users(histories, vectors, np.array([soon[0], later[1]]))
    np.testing.assert_allclose(one_each, [at_once[0], after[1]], atol=1e-6)
    without = plain.encode_users(histories, vectors)
    for moments in (soon, later):
        np.testing.assert_array_equal(plain.encode_users(histories, vectors, moments), without)


def test_a_model_with_recency_needs_request_times() -> None:
    with pytest.raises(VisrecError, match=r"model\.user\.recency: expected the time of each request"):
        with_recency().encode_users([history([3])], np.zeros((20, 8), np.float32))


def test_time_to_next_is_the_same_in_serving_and_training() -> None:
    recommender = with_recency()
    vectors = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    block = replace(sequences_of([[3, 1, 4, 15]]), times=np.array([0, 5_000, 65_000, 4_000_000]))
    batch = collate(
        [TrainingExample(block=block, negative_events=None, window=Window(row=0, start=0, stop=4))],
        np.zeros(0, np.int64),
        PerSequenceNegatives.concatenate([], 1),
        num_items=20,
        in_batch=True,
        masking="all",
        list_masked=False,
    )
    with torch.no_grad():
        trained = recommender._model.forward_from_items(
            torch.from_numpy(vectors[batch.item_index_N]),
            batch.item_index_N,
            batch.slots_BL,
            batch.kinds_BL,
            batch.time_since_previous_BL,
            batch.time_to_next_BL,
        ).users_BLD[0]
    for length in (1, 2, 3):  # each is asked for at the time of the event that comes next
        known = History(items=block.items[:length], kinds=block.kinds[:length], times=block.times[:length])
        served = recommender.encode_users([known], vectors, block.times[length : length + 1])
        np.testing.assert_allclose(served[0], trained[length - 1].numpy(), atol=1e-6)


def test_training_ranks_by_the_scores_that_are_served() -> None:
    recommender = make(CONFIG.replace(temperature=0.25))
    vectors = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    one = history([3, 1, 4])
    served = recommender.encode_users([one], vectors)[0] @ vectors.T + recommender.item_biases
    with torch.no_grad():
        users = recommender._model.user_tower(
            torch.from_numpy(vectors[one.items])[None],
            torch.from_numpy(one.kinds.astype(np.int64))[None],
            time_buckets(torch.from_numpy(one.times))[None],
        )
    biases = torch.from_numpy(recommender.item_biases)
    target = torch.tensor([7])
    loss = softmax_loss(users[0, -1:] @ torch.from_numpy(vectors).T + biases, target).item()
    assert loss == pytest.approx(np.log(np.exp(served).sum()) - served[7], rel=1e-5)


def test_the_catalogue_is_encoded_row_by_row(tmp_path: Path) -> None:
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)))
    recommender = make()
    inputs = Pictures.of(snapshot)
    whole = recommender.encode_items(inputs, np.arange(snapshot.num_items), batch_size=7)
    late = recommender.encode_items(inputs, np.arange(12, snapshot.num_items))
    np.testing.assert_allclose(whole[12:], late, atol=1e-6)
    pictures = snapshot.images.read(snapshot.image_rows[:3])
    np.testing.assert_allclose(
        whole[:3], recommender.encode_pictures(pictures, np.arange(3, dtype=np.int32)), atol=1e-6
    )


@pytest.mark.parametrize("file", ["model.safetensors", "model.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_file_is_an_artifact_error(tmp_path: Path, file: str, damage: str) -> None:
    make().save(Location.parse(tmp_path))
    path = tmp_path / file
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.unlink()
    with pytest.raises(ArtifactError, match="expected a model"):
        TwoTowerRecommender.load(Location.parse(tmp_path))


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(VisrecError, match=r"expected pictures of \(8, 8, 3\), got \(9, 8, 3\)"):
        make().encode_pictures(np.zeros((1, 9, 8, 3), np.uint8))


def test_a_model_of_ids_cannot_encode_a_new_picture() -> None:
    config = CONFIG.replace(item=ItemTowerConfig(backbone=None, id_embedding=True))
    with pytest.raises(VisrecError, match="knows items by id only"):
        make(config).encode_pictures(np.zeros((1, 8, 8, 3), np.uint8))
