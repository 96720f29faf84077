"""Adversaries: they raise the loss, stay within epsilon, and change nothing with weight 0."""

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
from visrec.storage import ArtifactStore
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
from visrec.training.step import StepContext

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
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("workspace")))
    return checkerboard_snapshot(workspace, num_users=20, num_items=12)


@pytest.fixture
def context(snapshot: Snapshot) -> StepContext:
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
        loss=LossConfig(),
    )


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda a: getattr(a, "method", a.kind))
def test_the_perturbed_loss_is_higher(context: StepContext, adversary: AdversaryConfig) -> None:
    clean = float(next(no_adversary(context)).losses_P.detach().mean())
    chosen = choose_adversary(PhaseConfig(adversary=adversary))
    means = []
    for step_losses in chosen(context):
        step_losses.losses_P.mean().backward()  # type: ignore[no-untyped-call]
        means.append(float(step_losses.losses_P.detach().mean()))
    assert means[-1] > clean
    assert len(means) == (3 if getattr(adversary, "method", "") == "free" else 1)


def test_item_vectors_move_by_epsilon_and_no_gradient_goes_through_it() -> None:
    gradient_ND = torch.randn(5, 4, requires_grad=True)
    moved = normalised(gradient_ND, 0.7)
    torch.testing.assert_close(moved.norm(dim=1), torch.full((5,), 0.7))
    assert not moved.requires_grad


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_pictures_stay_in_the_ball_and_parameters_keep_their_gradients(
    context: StepContext, method: str
) -> None:
    config = PixelAdversaryConfig(kind="pixels", method=method, epsilon=3)
    context.model.train()
    pictures = perturbed_pictures(config, context)
    assert context.inputs is not None
    distance = (pictures - context.inputs.float()).abs().amax()
    assert 0 < float(distance) <= 3 + 1e-4
    assert not pictures.requires_grad
    assert all(p.grad is None for p in context.model.parameters())
    assert all(module.training for module in context.model.modules())


def test_the_score_shift_grows_with_epsilon(context: StepContext) -> None:
    output = context.encode()
    shifts = [
        float(
            score_shift(ConsistencyAdversaryConfig(kind="consistency", epsilon=e), context, output).detach()
        )
        for e in (0, 2, 16)
    ]
    assert 0 == shifts[0] < shifts[1] < shifts[2]


def test_consistency_trains_the_item_tower_alone(context: StepContext) -> None:
    config = ConsistencyAdversaryConfig(kind="consistency", num_pictures=5)
    score_shift(config, context, context.encode()).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is None for p in context.model.user_tower.parameters())
    backbone = context.model.item_tower.backbone
    assert backbone is not None
    assert any(p.grad is not None and bool(p.grad.any()) for p in backbone.parameters())


def test_losses_are_mixed_by_weight(context: StepContext) -> None:
    def losses(weight: float) -> Tensor:
        adversary = EmbeddingAdversaryConfig(kind="embedding", epsilon=0.3, weight=weight)
        return next(choose_adversary(PhaseConfig(adversary=adversary))(context)).losses_P

    torch.testing.assert_close(losses(0.25), 0.75 * losses(0.0) + 0.25 * losses(1.0))


@pytest.mark.parametrize("adversary", ADVERSARIES, ids=lambda a: getattr(a, "method", a.kind))
def test_the_queue_gets_vectors_of_clean_pictures(
    snapshot: Snapshot, tmp_path: Path, adversary: AdversaryConfig
) -> None:
    loss = LossConfig(num_cross_batch_negatives=50)
    phase = PhaseConfig(batch_size=8, loss=loss, adversary=adversary.replace(weight=0.5, epsilon=9))
    job = TrainWorkloadConfig(model=MODEL, training=TrainingConfig(phases=(phase,)))
    run = prepare_run(job, snapshot, LocalEnvironment(tmp_path))
    current = prepare_phase(run, 0)
    batch = next(current.batches.epoch(0))
    pictures = torch.from_numpy(snapshot.images.read(snapshot.image_rows[batch.item_index_N.numpy()]))
    with torch.no_grad():
        clean_ND = run.model.item_tower(pictures, batch.item_index_N)
    current.step.run(batch)
    queue = current.step.negatives.queue
    assert queue is not None
    torch.testing.assert_close(queue.state()["vectors"], clean_ND[batch.shared_N])


def test_with_all_the_weight_on_perturbed_pictures_the_queue_gets_their_vectors(context: StepContext) -> None:
    adversary = PixelAdversaryConfig(kind="pixels", method="fgsm", epsilon=2, weight=1)
    (found,) = choose_adversary(PhaseConfig(adversary=adversary))(context)
    perturbed = context.encode(perturbed_pictures(adversary, context))
    torch.testing.assert_close(found.output.items_ND, perturbed.items_ND)
    assert not torch.allclose(found.output.items_ND, context.encode().items_ND)


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
        epochs = run_training(job, snapshot, tmp_path / name).epochs
        # The second phase reads cached activations.
        assert [e.images_per_second > 0 for e in epochs] == [True, False]
        losses.append([e.loss for e in epochs])
        weights.append((tmp_path / name / "last" / "last.safetensors").read_bytes())
    assert losses[0] == losses[1]
    assert weights[0] == weights[1]


def test_epsilon_zero_gives_the_clean_loss(context: StepContext) -> None:
    clean = next(no_adversary(context)).losses_P
    for adversary in (*ADVERSARIES[:3], ADVERSARIES[4]):
        chosen = choose_adversary(PhaseConfig(adversary=adversary.replace(epsilon=0)))
        torch.testing.assert_close(next(chosen(context)).losses_P, clean)
