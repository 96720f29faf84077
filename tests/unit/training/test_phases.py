"""Phases: cached activations, starting points, trainable parameters and module modes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.support.checkpoints import PICTURE_MODEL, TINY_MODEL, make_blend_checkpoint, make_checkpoint
from tests.support.snapshots import checkerboard_snapshot
from tests.support.training import run_training as run
from tests.support.training import saved_weights as weights
from tests.support.training import within

from visrec.config import (
    ItemTowerConfig,
    LoraBlocksConfig,
    LoraConfig,
    ModelConfig,
    PhaseConfig,
    TopBlocksConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError, ConfigError
from visrec.models.backbones.networks import efficientnet_lite0
from visrec.models.weights import WeightsFacts, write_weights
from visrec.storage import ArtifactStore, Location
from visrec.training.activation_cache import FrozenPrefix
from visrec.training.initial import initial_model, starting_point
from visrec.training.phase import num_frozen_blocks, set_modes, set_trainable


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("workspace")))
    return checkerboard_snapshot(workspace, num_users=40, num_items=20)


def lite0_job(tmp_path: Path, *phases: PhaseConfig, **training: Any) -> TrainWorkloadConfig:
    torch.manual_seed(5)
    file = tmp_path / "lite0.safetensors"
    facts = WeightsFacts(source="random", mean=(0.5, 0.5, 0.5), std=(0.3, 0.3, 0.3))
    write_weights(Location.parse(file), efficientnet_lite0().state_dict(), facts)
    model = ModelConfig(
        dim=8,
        item=ItemTowerConfig(backbone="efficientnet_lite0", weights=str(file)),
        user=UserTowerConfig(hidden_dim=16, max_length=10),
    )
    return TrainWorkloadConfig(model=model, training=TrainingConfig(phases=phases, **training))


@pytest.mark.parametrize("trainable", ["head", TopBlocksConfig(top=2)])
def test_cached_activations_give_the_same_run_as_pixels(
    snapshot: Snapshot, tmp_path: Path, trainable: Any
) -> None:
    phase = PhaseConfig(epochs=2, batch_size=20, trainable=trainable, batch_norm="frozen")
    runs = [
        run(lite0_job(tmp_path, phase, activation_cache_gb=size), snapshot, tmp_path / str(size))
        for size in (0.0, 1.0)
    ]
    pixels, cached = (one.epochs for one in runs)
    assert [e.images_per_second > 0 for e in pixels] == [True, True]
    assert [e.images_per_second > 0 for e in cached] == [False, False]
    np.testing.assert_allclose([e.loss for e in pixels], [e.loss for e in cached], rtol=1e-5)
    vectors = [np.load(tmp_path / size / "last" / "item_vectors.npy") for size in ("0.0", "1.0")]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_activations_are_found_by_the_hash_of_their_weights(snapshot: Snapshot, tmp_path: Path) -> None:
    job = within(lite0_job(tmp_path, PhaseConfig(epochs=1, batch_size=20, trainable="head")), snapshot)
    workspace = ArtifactStore(job.workspace)
    run(job, snapshot, tmp_path / "a")
    names = workspace.names("activations")
    run(job.replace(seed=1), snapshot, tmp_path / "b")  # another head on the same blocks
    assert workspace.names("activations") == names
    top = job.training.replace(
        phases=(PhaseConfig(epochs=1, batch_size=20, trainable=TopBlocksConfig(top=1)),)
    )
    run(job.replace(training=top), snapshot, tmp_path / "c")
    assert len(workspace.names("activations")) == len(names) + 1


def test_normalisation_is_loaded_with_the_weights(snapshot: Snapshot, tmp_path: Path) -> None:
    job = within(lite0_job(tmp_path, PhaseConfig(epochs=0)), snapshot)
    model, facts = initial_model(job, snapshot)
    assert facts is not None
    assert facts.source == "random"
    torch.testing.assert_close(model.item_tower.std, torch.full((3,), 0.3 * 255))


def test_frozen_blocks_and_trained_parameters(snapshot: Snapshot, tmp_path: Path) -> None:
    model, _ = initial_model(within(lite0_job(tmp_path, PhaseConfig()), snapshot), snapshot)
    backbone = model.item_tower.backbone
    assert backbone is not None
    num_backbone = sum(p.numel() for p in backbone.parameters())
    num_last = sum(p.numel() for p in backbone.blocks()[-1].parameters())
    head = set_trainable(model, PhaseConfig(trainable="head"))
    assert set_trainable(model, PhaseConfig()) == head + num_backbone
    top = PhaseConfig(trainable=TopBlocksConfig(top=1))
    assert set_trainable(model, top) == head + num_last
    set_modes(model, model, top)
    assert [block.training for block in backbone.blocks()] == [False] * 17 + [True]
    lora = PhaseConfig(trainable=LoraBlocksConfig(lora=LoraConfig(rank=2)))
    assert head < set_trainable(model, lora) < head + num_backbone / 5
    assert set_trainable(model, PhaseConfig()) == head + num_backbone  # LoRA is merged
    with pytest.raises(ConfigError, match="at most 18 top blocks"):
        num_frozen_blocks(model, PhaseConfig(trainable=TopBlocksConfig(top=19)))


def test_parameters_of_no_block_are_frozen_and_name_the_activations(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6, image_size=224)
    item = ItemTowerConfig(backbone="timm/vit_tiny_patch16_224")
    job = TrainWorkloadConfig(model=ModelConfig(dim=8, item=item), workspace=str(tmp_path))
    model, _ = initial_model(job, snapshot)
    backbone = model.item_tower.backbone
    assert backbone is not None

    def trained() -> set[str]:
        return {name.split(".")[1] for name, p in backbone.named_parameters() if p.requires_grad}

    set_trainable(model, PhaseConfig(trainable=TopBlocksConfig(top=1)))
    assert trained() == {"norm"}
    set_trainable(model, PhaseConfig())
    assert trained() == {"cls_token", "pos_embed", "patch_embed", "blocks", "norm"}
    set_trainable(model, PhaseConfig(trainable="head"))
    assert trained() == set()
    before = FrozenPrefix(tower=model.item_tower, num_blocks=backbone.num_blocks, snapshot=snapshot).name
    with torch.no_grad():
        backbone.get_parameter("network.pos_embed").add_(1.0)
    assert (
        FrozenPrefix(tower=model.item_tower, num_blocks=backbone.num_blocks, snapshot=snapshot).name != before
    )


def test_a_frozen_batch_norm_keeps_its_statistics(snapshot: Snapshot, tmp_path: Path) -> None:
    name = "item_tower.backbone.network.0.1.running_mean"
    for policy, moves in (("train", True), ("frozen", False)):
        phase = PhaseConfig(epochs=1, batch_size=20, batch_norm=policy)
        run(lite0_job(tmp_path, phase), snapshot, tmp_path / policy)
        assert bool(np.any(weights(tmp_path / policy, "last.safetensors")[name] != 0)) == moves


def test_training_starts_from_the_encoders_of_another_catalogue(snapshot: Snapshot, tmp_path: Path) -> None:
    other = ArtifactStore(str(tmp_path / "other"))
    elsewhere = make_checkpoint(other, checkerboard_snapshot(other, num_users=12, num_items=12), seed=9)
    job = TrainWorkloadConfig(model=TINY_MODEL, training=TrainingConfig(start_from=elsewhere.location.path))
    model, _ = initial_model(within(job, snapshot), snapshot)
    theirs = weights_of(elsewhere.location.path)
    mine = model.state_dict()
    for name, value in theirs.items():
        if name.startswith(("item_tower.backbone", "item_tower.projection", "user_tower")):
            np.testing.assert_array_equal(mine[name].numpy(), value, err_msg=name)
    assert mine["item_counts"].shape == (20,)
    wider = job.replace(model=TINY_MODEL.replace(dim=TINY_MODEL.dim + 1))
    with pytest.raises(
        ArtifactError, match=r"training.start_from: .* has other encoders .* expected user_tower"
    ):
        initial_model(within(wider, snapshot), snapshot)


def test_training_starts_from_the_member_of_a_blend_that_reads_pictures(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    other = ArtifactStore(str(tmp_path / "other"))
    blend = make_blend_checkpoint(other, checkerboard_snapshot(other, num_users=12, num_items=12))
    job = TrainWorkloadConfig(model=PICTURE_MODEL, training=TrainingConfig(start_from=blend.location.path))
    model, _ = initial_model(within(job, snapshot), snapshot)
    theirs = weights_of(f"{blend.location.path}/members/pictures")
    name = "item_tower.projection.2.weight"
    np.testing.assert_array_equal(model.state_dict()[name].numpy(), theirs[name])
    assert starting_point(job) is not None


def weights_of(folder: str) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(f"{folder}/model.safetensors"))
