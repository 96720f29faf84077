"""Optimizer groups and learning-rate schedule of a phase."""

import pytest
import torch

from visrec.config import ItemTowerConfig, ModelConfig, PhaseConfig
from visrec.data.images import ImageFacts
from visrec.models import TwoTower
from visrec.training.optimizer import build_optimizer, learning_rate_factor, set_learning_rate
from visrec.training.phase import set_trainable


def make_model() -> TwoTower:
    facts = ImageFacts(height=16, width=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    config = ModelConfig(dim=8, item=ItemTowerConfig(width=8, id_embedding=True))
    return TwoTower(config, num_items=5, image_facts=facts)


def test_the_head_phase_freezes_the_backbone_and_only_it() -> None:
    model = make_model()
    everything = set_trainable(model, PhaseConfig())
    head = set_trainable(model, PhaseConfig(trainable="head"))
    assert model.item_tower.backbone is not None
    in_backbone = sum(p.numel() for p in model.item_tower.backbone.parameters())
    assert head == everything - in_backbone
    assert set_trainable(model, PhaseConfig()) == everything


def test_each_parameter_is_trained_once_at_its_own_rate() -> None:
    model = make_model()
    phase = PhaseConfig(learning_rate=1e-2, backbone_learning_rate=1e-3, weight_decay=0.1)
    set_trainable(model, phase)
    optimizer = build_optimizer(model, phase)
    settings = {
        id(p): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for p in group["params"]
    }
    assert len(settings) == len(list(model.parameters()))
    named = dict(model.named_parameters())
    assert settings[id(named["item_tower.backbone.network.stages.0.0.weight"])] == (1e-3, 0.1)
    assert settings[id(named["item_tower.projection.2.weight"])] == (1e-2, 0.1)
    assert settings[id(named["item_tower.projection.2.bias"])] == (1e-2, 0.0)
    assert settings[id(named["biases.weight"])] == (1e-2, 0.0)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [0.25, 0.5, 0.75, 1, 1, 1]), ("cosine", [0.25, 0.5, 0.75, 1, 1, 0.5])],
)
def test_schedule(schedule: str, expected: list[float]) -> None:
    phase = PhaseConfig(warmup_steps=4, schedule=schedule)
    found = [learning_rate_factor(phase, step, 8) for step in (0, 1, 2, 3, 4, 6)]
    assert found == pytest.approx(expected)


def test_a_factor_scales_every_group() -> None:
    weights = [torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))]
    optimizer = torch.optim.AdamW(
        [{"params": [w], "lr": lr, "initial_lr": lr} for w, lr in zip(weights, (0.1, 0.2), strict=True)]
    )
    for factor in (0.5, 0.25):
        set_learning_rate(optimizer, factor)
        assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.1 * factor, 0.2 * factor])
