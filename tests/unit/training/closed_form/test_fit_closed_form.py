"""Closed-form phases in the two towers: the served scores are those of the factors."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.snapshots import make_snapshot
from tests.support.training import run_training

from visrec.config import (
    CoOccurrenceConfig,
    ItemTowerConfig,
    ModelConfig,
    PhaseConfig,
    SplitConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    TransitionsConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError, DataError
from visrec.models import History, TwoTowerRecommender
from visrec.storage import ArtifactStore, Location
from visrec.training.closed_form.decay import HistoryDecay
from visrec.training.closed_form.transitions import transition_factors
from visrec.training.initial import training_sequences

TRANSITIONS = TransitionsConfig(kind="transitions", ridge=1.0, picture_ridge=0.1)
BLEND = TRANSITIONS.replace(
    history_half_life=1.0,
    target_half_life=1.5,
    cooccurrence_weight=0.4,
    zero_diagonal=True,
    popularity_power=0.1,
    target_popularity_power=0.2,
    truncation="requests",
)
HISTORIES = [[0, 1, 2, 3, 4], [1, 2, 3, 0, 5], [5, 4, 0, 1, 2], [2, 3, 5, 4, 1], [4, 0, 1, 2, 3]]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return make_snapshot(ArtifactStore(str(tmp_path / "workspace")), HISTORIES, num_items=7)


def job(*phases: PhaseConfig, **model: Any) -> TrainWorkloadConfig:
    settings: dict[str, Any] = {
        "dim": 16,
        "item": ItemTowerConfig(width=4, id_embedding=True, dropout=0),
        "user": UserTowerConfig(hidden_dim=8, pooling_half_life=2.0),
    }
    return TrainWorkloadConfig(model=ModelConfig(**settings | model), training=TrainingConfig(phases=phases))


def solved(**phase: Any) -> PhaseConfig:
    return PhaseConfig(name="solved", trainable="head", **{"closed_form": TRANSITIONS} | phase)


@pytest.mark.parametrize("form", [TRANSITIONS, BLEND], ids=["transitions", "blend"])
def test_the_served_scores_are_those_of_the_factors(
    form: TransitionsConfig, snapshot: Snapshot, tmp_path: Path
) -> None:
    config = job(solved(closed_form=form))
    run_training(config, snapshot, tmp_path / "run")
    recommender = TwoTowerRecommender.load(Location.parse(tmp_path / "run" / "last"))
    vectors = np.load(tmp_path / "run" / "last" / "item_vectors.npy")
    events = np.array([5, 0, 2], np.int32)
    history = History(items=events, kinds=np.zeros(3, np.int8), times=np.arange(3, dtype=np.int64))
    scores = recommender.encode_users([history], vectors) @ vectors.T + recommender.item_biases
    decay = 0.5**0.5
    factors = transition_factors(
        lambda: training_sequences(snapshot, config),
        7,
        form,
        rank=8,
        requests=HistoryDecay(half_life=2.0),
        max_length=50,
        seed=0,
    )
    weights = np.array([decay**2, decay, 1.0])
    mean = weights @ factors.history_IR[events] / weights.sum()
    expected = mean @ factors.target_IR.T
    known = [0, 1, 2, 3, 4]  # items 5 and 6 have no training positive: their vectors are their pictures'
    np.testing.assert_allclose(scores[0][known], expected[known], atol=1e-4)


def test_an_item_without_positives_has_the_vector_of_its_picture(snapshot: Snapshot, tmp_path: Path) -> None:
    run_training(job(solved()), snapshot, tmp_path / "run")
    recommender = TwoTowerRecommender.load(Location.parse(tmp_path / "run" / "last"))
    vectors = np.load(tmp_path / "run" / "last" / "item_vectors.npy")
    picture = snapshot.images.read(snapshot.image_rows[[6]])
    np.testing.assert_allclose(vectors[[6]], recommender.encode_pictures(picture), atol=1e-5)


def test_a_later_phase_starts_from_the_solution(snapshot: Snapshot, tmp_path: Path) -> None:
    descent = PhaseConfig(name="descent", epochs=1, batch_size=2, trainable="head")
    split = SplitConfig(fit_on="train_and_validation")
    config = job(solved(), descent)
    config = config.replace(training=config.training.replace(split=split))
    environment = run_training(config, snapshot, tmp_path / "run")
    assert [e.phase for e in environment.epochs] == ["solved", "descent"]


@pytest.mark.parametrize("dim", [4, 64])
def test_cooccurrence_fits_with_fewer_and_with_more_factors_than_items(
    snapshot: Snapshot, tmp_path: Path, dim: int
) -> None:
    phase = solved(closed_form=CoOccurrenceConfig(kind="cooccurrence"))
    environment = run_training(job(phase, dim=dim), snapshot, tmp_path / "run")
    assert environment.epochs[0].metrics["ndcg@10"] > 0


@pytest.mark.parametrize(
    ("phase", "model", "line"),
    [
        ({}, {"dim": 15}, "needs an even model.dim, got 15"),
        ({}, {"user": UserTowerConfig(mean_pooling=False)}, "needs model.user.mean_pooling: true"),
        ({"closed_form": TRANSITIONS.replace(max_items=5)}, {}, r"at most 5 items \(max_items\), got 7"),
    ],
)
def test_settings_without_a_closed_form_raise_one_line(
    snapshot: Snapshot, tmp_path: Path, phase: dict[str, Any], model: dict[str, Any], line: str
) -> None:
    with pytest.raises(ConfigError, match=line):
        run_training(job(solved(**phase), **model), snapshot, tmp_path / "run")


@pytest.mark.parametrize("kind", ["transitions", "cooccurrence"])
@pytest.mark.parametrize("histories", [[[0, 1, 2], [3, 4, 5]], [[0, 0, 1, 2], [3, 3, 4, 5]]])
def test_a_log_without_two_items_to_train_on_raises_one_line(
    kind: str, histories: list[list[int]], tmp_path: Path
) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path / "workspace")), histories, num_items=6)
    form = TRANSITIONS if kind == "transitions" else CoOccurrenceConfig(kind="cooccurrence")
    with pytest.raises(
        DataError, match=r"phase solved: expected a user with two different items .*, got none"
    ):
        run_training(job(solved(closed_form=form)), snapshot, tmp_path / "run")
