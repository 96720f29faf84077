"""Blend of recommenders: a weighted sum of normalised scores, as one inner product; saved, loaded, damaged."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.data.images import ImageFacts
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError, VisrecError
from visrec.models import (
    BlendedRecommender,
    BlendMember,
    History,
    TwoTower,
    TwoTowerRecommender,
    load_recommender,
)
from visrec.models.item_inputs import Pictures
from visrec.storage import ArtifactStore, Location

NUM_ITEMS = 12
IDS = ModelConfig(
    dim=6,
    item=ItemTowerConfig(backbone=None, id_embedding=True),
    user=UserTowerConfig(hidden_dim=8, max_length=3),
)
PICTURES = ModelConfig(
    dim=4, item=ItemTowerConfig(width=4, dropout=0), user=UserTowerConfig(hidden_dim=8, max_length=9)
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    store = ArtifactStore(str(tmp_path_factory.mktemp("workspace")))
    return checkerboard_snapshot(store, num_users=10, num_items=NUM_ITEMS)


def model(config: ModelConfig, facts: ImageFacts, seed: int = 0) -> TwoTowerRecommender:
    torch.manual_seed(seed)
    towers = TwoTower(config, num_items=NUM_ITEMS, image_facts=facts)
    towers.set_item_counts(torch.arange(1.0, NUM_ITEMS + 1))
    return TwoTowerRecommender(towers, config, num_items=NUM_ITEMS, image_facts=facts)


def blend_of(
    snapshot: Snapshot, weights: dict[str, float]
) -> tuple[BlendedRecommender, dict[str, tuple[TwoTowerRecommender, NDArray[np.float32]]]]:
    """The blend, and its members with their item vectors."""
    made = {"ids": model(IDS, snapshot.image_facts), "pictures": model(PICTURES, snapshot.image_facts, 1)}
    members = {
        name: (recommender, recommender.encode_items(Pictures.of(snapshot), np.arange(NUM_ITEMS)))
        for name, recommender in made.items()
        if name in weights
    }
    blend = [BlendMember.of(name, *members[name], weights[name]) for name in members]
    return BlendedRecommender(blend), members


def history(*items: int) -> History:
    return History(
        items=np.array(items, np.int32),
        kinds=np.ones(len(items), np.int8),
        times=np.arange(len(items), dtype=np.int64) * 60_000,
    )


HISTORIES = [history(1, 2, 3, 4, 5), history(7), history(), history(0, 11)]


@settings(max_examples=20, deadline=None)
@given(ids=st.floats(0.01, 1), pictures=st.floats(0.01, 1))
def test_scores_are_the_weighted_sum_of_normalised_scores(
    snapshot: Snapshot, ids: float, pictures: float
) -> None:
    blend, members = blend_of(snapshot, {"ids": ids, "pictures": pictures})
    vectors_ID = blend.join_vectors([vectors for _, vectors in members.values()])
    queries_BD = blend.encode_users(HISTORIES, vectors_ID)
    expected = np.zeros((len(HISTORIES), NUM_ITEMS))
    for name, weight in (("ids", ids), ("pictures", pictures)):
        recommender, own_IM = members[name]
        scores = recommender.encode_users(HISTORIES, own_IM) @ own_IM.T + recommender.item_biases
        expected += weight * scores / scores.std(axis=1, keepdims=True)
    found = queries_BD @ vectors_ID.T + blend.item_biases
    # A constant in all scores of a user changes no ranking, but nothing is taken off here.
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_encoded_items_are_the_joined_vectors(snapshot: Snapshot) -> None:
    blend, members = blend_of(snapshot, {"ids": 0.3, "pictures": 0.7})
    joined_ID = blend.join_vectors([vectors for _, vectors in members.values()])
    np.testing.assert_allclose(
        blend.encode_items(Pictures.of(snapshot), np.arange(NUM_ITEMS)), joined_ID, rtol=1e-5, atol=1e-6
    )
    assert joined_ID.shape == (NUM_ITEMS, blend.dim) == (NUM_ITEMS, 6 + 1 + 4 + 1)
    assert blend.max_history == 9
    assert blend.reads_pictures
    assert blend.reads_more_than_pictures


def test_both_members_vectors_have_one_scale(snapshot: Snapshot) -> None:
    blend, members = blend_of(snapshot, {"ids": 0.5, "pictures": 0.5})
    joined_ID = blend.join_vectors([vectors for _, vectors in members.values()])
    lengths = [
        np.square(joined_ID[:, blend.columns_of(name)]).sum(axis=1).mean() for name in ("ids", "pictures")
    ]
    np.testing.assert_allclose(lengths, 0.5, rtol=1e-4)


def test_a_picture_of_no_item_has_the_vectors_of_pixels_alone(snapshot: Snapshot) -> None:
    blend, members = blend_of(snapshot, {"ids": 0.5, "pictures": 0.5})
    pictures = snapshot.images.read(snapshot.image_rows[:3])
    found_ND = blend.encode_pictures(pictures)
    assert not found_ND[:, blend.columns_of("ids")].any()
    scale = blend.members[1].item_scale
    own = found_ND[:, blend.columns_of("pictures")]
    np.testing.assert_allclose(
        own[:, :-1], members["pictures"][0].encode_pictures(pictures) * scale, rtol=1e-5
    )
    assert not own[:, -1].any()  # no bias
    alone_ND = blend.encode_items(Pictures.of(snapshot), np.arange(3), from_pixels_alone=True)
    np.testing.assert_allclose(alone_ND, found_ND, rtol=1e-4, atol=1e-6)


def test_the_gradient_reaches_the_pixels(snapshot: Snapshot) -> None:
    blend, members = blend_of(snapshot, {"ids": 0.5, "pictures": 0.5})
    pixels = torch.from_numpy(snapshot.images.read(snapshot.image_rows[:2])).float().requires_grad_()
    vectors = blend.vectors_with_gradient(pixels, np.arange(2, dtype=np.int32))
    joined_ID = blend.join_vectors([vectors for _, vectors in members.values()])
    np.testing.assert_allclose(vectors.detach().numpy(), joined_ID[:2], rtol=1e-4, atol=1e-6)
    vectors.sum().backward()  # type: ignore[no-untyped-call]
    assert pixels.grad is not None
    assert pixels.grad.abs().sum() > 0


def test_ids_alone_cannot_encode_a_new_picture(snapshot: Snapshot) -> None:
    blend, _ = blend_of(snapshot, {"ids": 1.0})
    with pytest.raises(VisrecError, match="knows items by id only"):
        blend.encode_pictures(snapshot.images.read(snapshot.image_rows[:1]))


def test_a_member_with_equal_scores_for_all_items_says_nothing(snapshot: Snapshot) -> None:
    recommender = model(IDS, snapshot.image_facts)
    zeros_IM = np.zeros((NUM_ITEMS, IDS.dim), np.float32)
    recommender._model.biases.weight.data.zero_()  # type: ignore[union-attr]
    blend = BlendedRecommender([BlendMember.of("ids", recommender, zeros_IM, 1.0)])
    queries = blend.encode_users(HISTORIES, blend.join_vectors([zeros_IM]))
    assert np.isfinite(queries).all()
    assert not queries.any()


def test_saved_and_loaded_it_gives_the_same_scores(snapshot: Snapshot, tmp_path: Path) -> None:
    blend, members = blend_of(snapshot, {"ids": 0.25, "pictures": 0.75})
    vectors_ID = blend.join_vectors([vectors for _, vectors in members.values()])
    blend.save(Location.parse(tmp_path))
    loaded = load_recommender(Location.parse(tmp_path))
    assert isinstance(loaded, BlendedRecommender)
    assert [(m.name, m.weight) for m in loaded.members] == [("ids", 0.25), ("pictures", 0.75)]
    np.testing.assert_array_equal(
        loaded.encode_users(HISTORIES, vectors_ID), blend.encode_users(HISTORIES, vectors_ID)
    )


@pytest.mark.parametrize("damage", ["statistics", "facts", "member", "other size"])
def test_a_damaged_blend_is_one_line(snapshot: Snapshot, tmp_path: Path, damage: str) -> None:
    blend, _ = blend_of(snapshot, {"ids": 0.25, "pictures": 0.75})
    blend.save(Location.parse(tmp_path))
    if damage == "statistics":
        (tmp_path / "blend.safetensors").write_bytes(b"no tensors")
    elif damage == "facts":
        (tmp_path / "model.json").write_text("{}")
    elif damage == "member":
        (tmp_path / "members" / "ids" / "model.safetensors").unlink()
    else:
        facts = json.loads((tmp_path / "model.json").read_text())
        facts["members"] = facts["members"][:1]
        facts["members"][0]["name"] = "pictures"
        (tmp_path / "members" / "pictures" / "model.json").write_text(
            (tmp_path / "members" / "ids" / "model.json").read_text()
        )
        (tmp_path / "model.json").write_text(json.dumps(facts))
    with pytest.raises(ArtifactError, match="expected a blend") as caught:
        load_recommender(Location.parse(tmp_path))
    assert "\n" not in str(caught.value)
