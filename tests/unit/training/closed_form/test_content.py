"""Ridge regression of item vectors on pictures and attributes, against refits and direct solutions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.support.snapshots import make_snapshot
from tests.support.training import run_training, saved_weights

from visrec.config import (
    CoOccurrenceConfig,
    ItemTowerConfig,
    ModelConfig,
    PhaseConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    TransitionsConfig,
    UserTowerConfig,
)
from visrec.data.attributes import AttributeFacts
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.models.item_tower import AttributeEmbedding
from visrec.storage import ArtifactStore
from visrec.training.blend.recipe import auto_members
from visrec.training.closed_form.content import (
    ATTRIBUTES,
    PICTURES,
    ContentMap,
    ContentRidge,
    attribute_indicators,
    leave_one_out_error,
    set_attribute_vectors,
)

HISTORIES = [[0, 1, 2, 3, 4], [1, 2, 3, 0, 5], [3, 4, 0, 1, 5], [2, 3, 0, 4, 1], [4, 0, 1, 2, 3]]
"""Leave-one-out trains on items 0 to 4 alone; 5 is held out, 6 is in no history."""
CATEGORIES = [["a"], ["b"], ["c"], ["d"], ["e"], ["b"], ["a", "c"]]
TRANSITIONS = TransitionsConfig(kind="transitions", ridge=1.0, picture_ridge=0.1)


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    store = ArtifactStore(str(tmp_path / "workspace"))
    return make_snapshot(store, HISTORIES, num_items=7, categories=CATEGORIES)


def content(
    num_items: int, *, features: int = 0, indicators: int = 0, seed: int = 0
) -> tuple[ContentRidge, NDArray[np.float32]]:
    """A regression on random content, and random vectors."""
    random = np.random.default_rng(seed)
    attributes = sp.csr_matrix((random.random((num_items, indicators)) < 0.3).astype(np.float64))
    ridge = ContentRidge(
        features_NF=random.normal(3, 2, (num_items, features)).astype(np.float32) if features else None,
        indicators_NA=attributes if indicators else None,
        counts_N=random.integers(1, 20, num_items).astype(np.float32),
    )
    return ridge, random.normal(size=(num_items, 3)).astype(np.float32)


def indicators_of(ridge: ContentRidge) -> sp.csr_matrix:
    assert ridge.indicators_NA is not None
    return ridge.indicators_NA


def predictions(ridge: ContentRidge, fitted: ContentMap) -> NDArray[np.float64]:
    parts: list[Any] = [np.broadcast_to(fitted.bias_D, (len(ridge.counts_N), len(fitted.bias_D)))]
    if fitted.picture_DF is not None and ridge.features_NF is not None:
        parts.append(ridge.features_NF @ fitted.picture_DF.T)
    if fitted.attribute_AD is not None:
        parts.append(indicators_of(ridge) @ fitted.attribute_AD)
    return np.asarray(sum(parts), np.float64)


def test_pictures_alone_find_a_linear_relation_and_a_strong_ridge_gives_zero() -> None:
    ridge, _ = content(50, features=3)
    assert ridge.features_NF is not None
    weight = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]])
    vectors = ((ridge.features_NF - ridge.features_NF.mean(0)) @ weight.T).astype(np.float32)
    found = ridge.fit(vectors, {PICTURES: 1e-9})
    assert found.picture_DF is not None
    np.testing.assert_allclose(found.picture_DF, weight, atol=1e-4)
    np.testing.assert_allclose(predictions(ridge, found), vectors, atol=1e-3)
    strong = ridge.fit(vectors, {PICTURES: 1e9}).picture_DF
    assert strong is not None
    assert np.abs(strong).max() < 1e-4


@pytest.mark.parametrize("features", [0, 4])
def test_attributes_that_decide_the_vectors_predict_them(features: int) -> None:
    ridge, _ = content(60, features=features, indicators=5)
    decided = np.random.default_rng(1).normal(size=(5, 3))
    vectors = np.asarray(indicators_of(ridge) @ decided, np.float32)
    ridges = ridge.choose(vectors, {})
    assert ridges[ATTRIBUTES] == 0.1
    found = ridge.fit(vectors, {**ridges, ATTRIBUTES: 1e-6})
    np.testing.assert_allclose(predictions(ridge, found), vectors, atol=1e-3)


@given(
    features=st.integers(0, 12),
    indicators=st.integers(0, 12),
    items=st.integers(3, 12),
    seed=st.integers(0, 99),
)
def test_the_fit_is_the_least_penalised_squared_error(
    features: int, indicators: int, items: int, seed: int
) -> None:
    assume(features + indicators > 0)
    ridge, vectors = content(items, features=features, indicators=indicators, seed=seed)
    found = ridge.fit(vectors, {PICTURES: 0.7, ATTRIBUTES: 2.0})
    residuals = ridge.weights_N[:, None] * (vectors - predictions(ridge, found))
    if found.picture_DF is not None and ridge.features_NF is not None:
        mean, std = ridge.features_NF.mean(0), ridge.features_NF.std(0) + 1e-6
        gradient = ((ridge.features_NF - mean) / std).T @ residuals
        np.testing.assert_allclose(gradient, 0.7 * features * (found.picture_DF * std).T, atol=2e-3)
    if found.attribute_AD is not None:
        np.testing.assert_allclose(indicators_of(ridge).T @ residuals, 2.0 * found.attribute_AD, atol=2e-3)


def test_the_leave_one_out_error_is_that_of_refits() -> None:
    ridge, vectors = content(9, indicators=4)
    columns, weights = indicators_of(ridge).toarray() / np.sqrt(3.0), ridge.weights_N
    expected = 0.0
    for left_out in range(9):
        kept = np.arange(9) != left_out
        gram = (columns[kept] * weights[kept, None]).T @ columns[kept] + np.eye(4)
        coefficients = np.linalg.solve(gram, (columns[kept] * weights[kept, None]).T @ vectors[kept])
        residual = vectors[left_out] - columns[left_out] @ coefficients
        expected += weights[left_out] * float(residual @ residual)
    found = leave_one_out_error(columns @ columns.T, vectors.astype(np.float64), weights)
    assert found == pytest.approx(expected)


def test_the_ridges_follow_the_data_and_a_given_one_stays() -> None:
    ridge, noise = content(80, features=4, indicators=6)
    assert ridge.choose(noise, {}) == ridge.choose(noise, {})
    chosen = ridge.choose(noise, {PICTURES: 7.0})
    assert chosen[PICTURES] == 7.0
    assert chosen[ATTRIBUTES] >= 30
    assert ridge.choose(noise, {PICTURES: 7.0, ATTRIBUTES: 5.0}) == {PICTURES: 7.0, ATTRIBUTES: 5.0}


def test_an_embedding_is_linear_in_the_indicators() -> None:
    facts = AttributeFacts(categories=("a", "b", "c"), price_edges=(1.0, 2.0), title_words=("x", "y"))
    embedding = AttributeEmbedding(facts, {"categories", "price", "title"}, dim=4, num_items=4)
    codes = (
        facts.category_codes([["a", "c"], ["b"], None, ["unknown"]]),
        facts.price_codes([0.5, 1.5, None, 9.0]),
        facts.title_codes(["x y", "y", None, "other"]),
    )
    embedding.set_codes(*(torch.from_numpy(array) for array in codes))
    vectors = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    items = np.array([3, 0, 1, 2])
    with torch.no_grad():
        set_attribute_vectors(embedding, vectors)
        served = embedding(torch.from_numpy(items)).numpy()
    np.testing.assert_allclose(attribute_indicators(embedding, items) @ vectors, served, atol=1e-6)
    np.testing.assert_array_equal(served[3], np.zeros(4))
    for table in (embedding.categories, embedding.prices, embedding.title_words):
        assert table is not None
        assert not table.weight[0].any()


def job(*phases: PhaseConfig, item: ItemTowerConfig) -> TrainWorkloadConfig:
    user = UserTowerConfig(kind="pooling", pooling_half_life=2.0)
    return TrainWorkloadConfig(
        model=ModelConfig(dim=16, item=item, user=user), training=TrainingConfig(phases=phases)
    )


def item_vectors(
    snapshot: Snapshot, folder: Path, form: TransitionsConfig | CoOccurrenceConfig, **item: Any
) -> NDArray[np.float32]:
    settings: dict[str, Any] = {"backbone": None, "width": 4, "id_embedding": True, "dropout": 0}
    phase = PhaseConfig(name="solved", trainable="head", closed_form=form)
    run_training(job(phase, item=ItemTowerConfig(**settings | item)), snapshot, folder)
    vectors: NDArray[np.float32] = np.load(folder / "last" / "item_vectors.npy")
    return vectors


@pytest.mark.parametrize("backbone", [None, "small_cnn"])
def test_warm_vectors_stay_and_cold_ones_come_from_the_content(
    backbone: str | None, snapshot: Snapshot, tmp_path: Path
) -> None:
    plain = item_vectors(snapshot, tmp_path / "plain", TRANSITIONS)
    attributes = ("categories", "price")
    found = item_vectors(
        snapshot, tmp_path / "content", TRANSITIONS, attributes=attributes, backbone=backbone
    )
    known = saved_weights(tmp_path / "content")["item_counts"] > 0
    assert known.tolist() == [True] * 5 + [False] * 2
    np.testing.assert_allclose(found[known], plain[known], atol=1e-5)
    assert not plain[~known].any()
    assert (np.linalg.norm(found[~known], axis=1) > 0).all()


def test_a_cold_item_has_the_vector_of_its_twin(snapshot: Snapshot, tmp_path: Path) -> None:
    form = CoOccurrenceConfig(kind="cooccurrence", attribute_ridge=1e-6)
    found = item_vectors(snapshot, tmp_path / "run", form, attributes=("categories",))
    np.testing.assert_allclose(found[5], found[1], atol=1e-4)
    np.testing.assert_allclose(found[6], (found[0] + found[2]) / 2, atol=1e-4)


def test_attributes_that_the_catalogue_lacks_raise_one_line(snapshot: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected title in the catalogue, found none; map the column"):
        item_vectors(snapshot, tmp_path / "run", TRANSITIONS, attributes=("title",))


@pytest.mark.parametrize(
    ("weights", "start_from", "backbone"),
    [(None, None, None), ("pretrained", None, "resnet18"), ("pretrained", "latest", None)],
)
def test_the_closed_form_of_the_recipe_reads_attributes_and_pretrained_pictures(
    weights: str | None, start_from: str | None, backbone: str | None, snapshot: Snapshot
) -> None:
    item = ItemTowerConfig(backbone="resnet18", weights=weights)
    config = TrainWorkloadConfig(model=ModelConfig(item=item), training=TrainingConfig(start_from=start_from))
    member = auto_members(config, snapshot)[0]
    assert member.name == "closed-form"
    assert member.model.item.attributes == ("categories", "price")
    assert member.model.item.backbone == backbone
    assert member.model.item.id_embedding
    assert member.phases[0].trainable == "head"
