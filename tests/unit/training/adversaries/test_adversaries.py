"""Adversaries of training: they raise the loss, stay in their ball, and are nothing without weight."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.snapshots import checkerboard_snapshot
from tests.support.training import run_training
from torch import Tensor

from visrec.config import (
    EmbeddingAdversaryConfig,
    ItemTowerConfig,
    LossConfig,
    ModelConfig,
    PhaseConfig,
    PixelAdversaryConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.config.phase import ConsistencyAdversaryConfig
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower
from visrec.models.item_inputs import Pictures
from visrec.storage import Workspace
from visrec.training.adversaries import (
    choose_adversary,
    no_adversary,
    normalised,
    perturbed_pictures,
    score_shift,
)
from visrec.training.batches import BatchStream
from visrec.training.environment import LocalEnvironment
from visrec.training.prepare import prepare_phase, prepare_run
from visrec.training.state import TrainState
from visrec.training.step import StepContext, batch_loss

AdversaryConfig = EmbeddingAdversaryConfig | PixelAdversaryConfig | ConsistencyAdversaryConfig
MODEL = ModelConfig(
    dim=8,
    item=ItemTowerConfig(width=4, dropout=0),
    user=UserTowerConfig(hidden_dim=16, dropout=0, max_length=10),
)
ADVERSARIES = [
    EmbeddingAdversaryConfig(kind="embedding", epsilon=0.3, weight=1),
    PixelAdversaryConfig(kind="pixels", method="fgsm", epsilon=2, weight=1),
    PixelAdversaryConfig(kind="pixels", method="pgd", epsilon=2, steps=3, weight=1),
    PixelAdversaryConfig(kind="pixels", method="free", epsilon=2, steps=3, weight=1),
    ConsistencyAdversaryConfig(kind="consistency", epsilon=2),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    workspace = Workspace(str(tmp_path_factory.mktemp("workspace")))
    return checkerboard_snapshot(workspace, num_users=20, num_items=12)


@pytest.fixture
def forward(snapshot: Snapshot) -> StepContext:
    torch.manual_seed(0)
    model = TwoTower(MODEL, num_items=snapshot.num_items, image_facts=snapshot.image_facts)
    model.set_item_counts(torch.ones(snapshot.num_items))
    candidates = np.arange(snapshot.num_items, dtype=np.int32)
    stream = BatchStream(
        blocks=lambda: snapshot.sequences(TrainWorkloadConfig().training.split),
        phase=PhaseConfig(batch_size=8),
        max_length=10,
        candidates=candidates,
        num_items=snapshot.num_items,
        seed=0,
    )
    batch = next(stream.epoch(0))
    pictures = torch.from_numpy(snapshot.images.read(snapshot.image_rows[batch.item_index_N.numpy()]))
    return StepContext(
        model=model,
        wrapped=model,
        batch=batch,
        inputs=pictures,
        start=0,
        losses_of=lambda output: batch_loss(output, batch, LossConfig(), None),
    )


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda a: getattr(a, "method", a.kind))
def test_the_perturbed_loss_is_higher(forward: StepContext, adversary: AdversaryConfig) -> None:
    clean = float(next(no_adversary(forward)).detach().mean())
    stream = choose_adversary(PhaseConfig(adversary=adversary))
    seen = []
    for losses_P in stream(forward):
        losses_P.mean().backward()  # type: ignore[no-untyped-call]
        seen.append(float(losses_P.detach().mean()))
    assert seen[-1] > clean
    assert len(seen) == (3 if getattr(adversary, "method", "") == "free" else 1)


def test_item_vectors_move_by_epsilon_and_no_gradient_goes_through_it() -> None:
    gradient_ND = torch.randn(5, 4, requires_grad=True)
    moved = normalised(gradient_ND, 0.7)
    torch.testing.assert_close(moved.norm(dim=1), torch.full((5,), 0.7))
    assert not moved.requires_grad


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_pictures_stay_in_the_ball_and_parameters_keep_their_gradients(
    forward: StepContext, method: str
) -> None:
    config = PixelAdversaryConfig(kind="pixels", method=method, epsilon=3)
    forward.model.train()
    pictures = perturbed_pictures(config, forward)
    assert forward.inputs is not None
    distance = (pictures - forward.inputs.float()).abs().amax()
    assert 0 < float(distance) <= 3 + 1e-4
    assert not pictures.requires_grad
    assert all(p.grad is None for p in forward.model.parameters())
    assert all(module.training for module in forward.model.modules())


def test_scores_shift_within_what_the_vectors_shift(forward: StepContext) -> None:
    output = forward.output()
    shifts = [
        float(
            score_shift(ConsistencyAdversaryConfig(kind="consistency", epsilon=e), forward, output).detach()
        )
        for e in (0, 2, 16)
    ]
    assert 0 == shifts[0] < shifts[1] < shifts[2]


def test_consistency_trains_the_item_tower_alone(forward: StepContext) -> None:
    config = ConsistencyAdversaryConfig(kind="consistency", num_pictures=5)
    score_shift(config, forward, forward.output()).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is None for p in forward.model.user_tower.parameters())
    backbone = forward.model.item_tower.backbone
    assert backbone is not None
    assert any(p.grad is not None and bool(p.grad.any()) for p in backbone.parameters())


def test_losses_are_mixed_by_weight(forward: StepContext) -> None:
    def losses(weight: float) -> Tensor:
        adversary = EmbeddingAdversaryConfig(kind="embedding", epsilon=0.3, weight=weight)
        return next(choose_adversary(PhaseConfig(adversary=adversary))(forward))

    torch.testing.assert_close(losses(0.25), 0.75 * losses(0.0) + 0.25 * losses(1.0))


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda a: getattr(a, "method", a.kind))
def test_later_batches_remember_the_clean_pictures(
    snapshot: Snapshot, tmp_path: Path, adversary: AdversaryConfig
) -> None:
    loss = LossConfig(num_cross_batch_negatives=50)
    phase = PhaseConfig(batch_size=8, loss=loss, adversary=adversary.replace(weight=0.5, epsilon=9))
    job = TrainWorkloadConfig(model=MODEL, training=TrainingConfig(phases=(phase,)))
    run = prepare_run(job, snapshot, LocalEnvironment(tmp_path))
    stepper, stream, _ = prepare_phase(run, TrainState(), Pictures.of(snapshot))
    batch = next(stream.epoch(0))
    pictures = torch.from_numpy(snapshot.images.read(snapshot.image_rows[batch.item_index_N.numpy()]))
    with torch.no_grad():
        clean_ND = run.model.item_tower(pictures, batch.item_index_N)
    stepper.step(batch)
    assert stepper.memory.queue is not None
    torch.testing.assert_close(stepper.memory.queue.state()["vectors"], clean_ND[batch.shared_N])


def test_where_no_output_is_clean_the_changed_one_is_remembered(forward: StepContext) -> None:
    adversary = PixelAdversaryConfig(kind="pixels", method="fgsm", epsilon=2, weight=1)
    next(choose_adversary(PhaseConfig(adversary=adversary))(forward))
    assert set(forward.made) == {False}
    assert forward.clean is forward.made[False]


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda a: getattr(a, "method", a.kind))
def test_without_weight_the_run_is_plain_training_bit_for_bit(
    snapshot: Snapshot, tmp_path: Path, adversary: AdversaryConfig
) -> None:
    losses, weights = [], []
    for name, one in (("plain", None), ("without", adversary.replace(weight=0))):
        phases = (
            PhaseConfig(epochs=1, batch_size=8, adversary=one),
            PhaseConfig(name="kept", trainable="head", epochs=1, batch_size=8, adversary=one),
        )
        job = TrainWorkloadConfig(model=MODEL, training=TrainingConfig(phases=phases))
        epochs = [r for r in run_training(job, snapshot, tmp_path / name).reports if "loss" in r]
        assert [r["images_per_second"] > 0 for r in epochs] == [
            True,
            False,
        ]  # the second reads kept activations
        losses.append([r["loss"] for r in epochs])
        weights.append((tmp_path / name / "last" / "last.safetensors").read_bytes())
    assert losses[0] == losses[1]
    assert weights[0] == weights[1]


def test_epsilon_zero_gives_the_clean_loss(forward: StepContext) -> None:
    clean = next(no_adversary(forward))
    for adversary in (*ADVERSARIES[:3], ADVERSARIES[4]):
        none = choose_adversary(PhaseConfig(adversary=adversary.replace(epsilon=0)))
        torch.testing.assert_close(next(none(forward)), clean)
