"""The training loop in this process: it learns a known answer, is reproducible, and resumes bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.snapshots import HOUR_MS, START_MS, checkerboard_snapshot, make_snapshot
from tests.support.training import Crash, crash_at_report, within
from tests.support.training import run_training as run
from tests.support.training import saved_weights as weights

from visrec.config import (
    ItemTowerConfig,
    LoraBlocksConfig,
    LoraConfig,
    LossConfig,
    ModelConfig,
    PhaseConfig,
    SplitConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.errors import DivergedError
from visrec.storage import ArtifactStore
from visrec.training.environment import LocalEnvironment
from visrec.training.run import train

GOLDEN = Path(__file__).parent / "golden_losses.json"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return checkerboard_snapshot(
        ArtifactStore(str(tmp_path_factory.mktemp("workspace"))), num_users=40, num_items=20
    )


def job(*phases: PhaseConfig, **training: Any) -> TrainWorkloadConfig:
    model = ModelConfig(
        dim=8,
        item=ItemTowerConfig(width=4, dropout=0.1),
        user=UserTowerConfig(hidden_dim=16, dropout=0.1, max_length=10),
        item_bias=False,
    )
    return TrainWorkloadConfig(model=model, training=TrainingConfig(phases=phases, **training))


def test_from_pixels_alone_it_finds_the_one_right_item(snapshot: Snapshot, tmp_path: Path) -> None:
    phase = PhaseConfig(epochs=12, batch_size=8, learning_rate=1e-2)
    environment = run(job(phase), snapshot, tmp_path)
    # Of twenty items a user has had eight of one colour; validation is one of the two of that colour that remain.
    metrics = environment.epochs[-1].metrics
    assert metrics["hr@10"] == 1.0
    assert metrics["auc"] > 0.94  # those two come first: one place lost in half of the cases makes 0.955


def test_two_runs_agree_bit_for_bit_and_with_the_stored_curve(snapshot: Snapshot, tmp_path: Path) -> None:
    config = job(PhaseConfig(epochs=3, batch_size=8, loss=LossConfig(num_uniform_negatives=4)))
    first, second = (run(config, snapshot, tmp_path / name) for name in "ab")
    for name, value in weights(tmp_path / "a").items():
        np.testing.assert_array_equal(value, weights(tmp_path / "b")[name])
    losses = [e.loss for e in first.epochs]
    assert losses == [e.loss for e in second.epochs]
    # A refactoring must not move this curve; the tolerance is what another processor's arithmetic may differ by.
    assert losses == pytest.approx(json.loads(GOLDEN.read_text()), rel=1e-3)


def test_recency_learns_what_depends_on_the_time_since_the_last_event_alone(tmp_path: Path) -> None:
    """At once users take an item of the same colour, after a day one of the other: the history alone cannot say."""
    rng = np.random.default_rng(0)
    images = np.zeros((24, 8, 8, 3), np.uint8)
    images[::2, ..., 0] = images[1::2, ..., 2] = 200
    histories, times = [], []
    for _ in range(60):
        long = rng.random(5) < 0.5
        colours = (np.cumsum([rng.integers(2), *long]) % 2).tolist()
        left = [rng.permutation(np.arange(colour, 24, 2)).tolist() for colour in (0, 1)]
        histories.append([left[colour].pop() for colour in colours])
        times.append((START_MS + np.cumsum([0, *np.where(long, 24 * HOUR_MS, 60_000)])).tolist())
    snapshot = make_snapshot(
        ArtifactStore(str(tmp_path)), histories, num_items=24, times=times, images=images
    )
    auc = {}
    for recency in (False, True):
        plain = job(PhaseConfig(epochs=20, batch_size=8, learning_rate=3e-2))
        model = plain.model.replace(user=plain.model.user.replace(recency=recency))
        epochs = run(plain.replace(model=model), snapshot, tmp_path / str(recency)).epochs
        auc[recency] = max(e.metrics["auc"] for e in epochs)
    # Of 20 unseen items about 10 have the right colour: if these come first, in any order, 0.75; by chance 0.5.
    assert auc[False] < 0.6
    assert auc[True] > 0.7


@pytest.mark.parametrize("crash_after", [1, 2, 3, 4, 5, 6])
def test_a_run_that_crashed_ends_as_if_it_had_not(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash_after: int
) -> None:
    phases = [
        PhaseConfig(name="first", epochs=2, batch_size=8),
        PhaseConfig(
            name="second", epochs=1, batch_size=8, trainable=LoraBlocksConfig(lora=LoraConfig(rank=2))
        ),
        PhaseConfig(name="third", epochs=1, batch_size=8, trainable="head"),
    ]
    config = job(*phases, checkpoint_every_steps=3)
    run(config, snapshot, tmp_path / "whole")
    environment = LocalEnvironment(tmp_path / "broken")
    monkeypatch.setattr(environment, "report", crash_at_report(crash_after, environment))
    with pytest.raises(Crash):
        train(within(config, snapshot), snapshot, environment)
    run(config, snapshot, tmp_path / "broken")
    for file in ("model.safetensors", "last.safetensors"):
        whole, resumed = (weights(tmp_path / name, file) for name in ("whole", "broken"))
        for name, value in whole.items():
            np.testing.assert_array_equal(value, resumed[name], err_msg=f"{file} {name}")


def test_a_head_phase_leaves_the_backbone_as_it_was(snapshot: Snapshot, tmp_path: Path) -> None:
    base = PhaseConfig(name="base", epochs=1, batch_size=8)
    head = PhaseConfig(name="head", epochs=2, batch_size=8, trainable="head")
    run(job(base), snapshot, tmp_path / "one")
    run(job(base, head), snapshot, tmp_path / "two")
    one, two = weights(tmp_path / "one", "last.safetensors"), weights(tmp_path / "two", "last.safetensors")
    same = {name: bool((one[name] == two[name]).all()) for name in one}
    assert all(value for name, value in same.items() if name.startswith("item_tower.backbone"))
    assert not same["user_tower.head.1.weight"]


def test_early_stopping_ends_a_phase_and_the_best_epoch_is_kept(snapshot: Snapshot, tmp_path: Path) -> None:
    phase = PhaseConfig(epochs=40, batch_size=8, learning_rate=1e-2, early_stopping_epochs=2)
    environment = run(job(phase, selection_metric="hr@10"), snapshot, tmp_path)
    epochs = environment.epochs
    assert len(epochs) < 40
    best = max(range(len(epochs)), key=lambda k: epochs[k].metrics["hr@10"])
    assert len(epochs) == best + 3


def test_a_diverging_run_raises_and_leaves_no_checkpoint(snapshot: Snapshot, tmp_path: Path) -> None:
    # Each step makes the weights ninety-nine times as large: too large for a float within four epochs.
    exploding = {"learning_rate": 10, "weight_decay": 10, "schedule": "constant", "warmup_steps": 0}
    phase = PhaseConfig(name="wild", epochs=8, batch_size=8, **exploding)
    with pytest.raises(
        DivergedError,
        match=r"(loss is (nan|inf)|weights are not finite) after epoch \d of phase wild; try a lower learning_rate",
    ):
        run(job(phase), snapshot, tmp_path)
    last = weights(tmp_path, "last.safetensors")
    assert all(np.isfinite(value).all() for value in last.values())


def test_a_refit_sees_validation_events_and_has_no_validation(snapshot: Snapshot, tmp_path: Path) -> None:
    phase = PhaseConfig(epochs=1, batch_size=8)
    plain = run(job(phase), snapshot, tmp_path / "plain")
    refit = run(job(phase, split=SplitConfig(fit_on="train_and_validation")), snapshot, tmp_path / "refit")
    assert "ndcg@10" in plain.epochs[0].metrics
    assert refit.epochs[0].metrics == {}
    counts = [weights(tmp_path / name)["item_counts"].sum() for name in ("plain", "refit")]
    assert counts == [40 * 8, 40 * 9]


def test_the_last_report_holds_what_a_checkpoint_needs(snapshot: Snapshot, tmp_path: Path) -> None:
    run(job(PhaseConfig(epochs=1, batch_size=8)), snapshot, tmp_path)
    names = {path.name for path in (tmp_path / "last").iterdir()}
    assert names == {
        "epochs.json",
        "item_vectors.npy",
        "last.safetensors",
        "model.json",
        "model.safetensors",
        "training_state.json",
    }
    assert np.load(tmp_path / "last" / "item_vectors.npy").shape == (20, 8)
