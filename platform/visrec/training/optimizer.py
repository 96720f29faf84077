"""Which parameters a phase trains, and how fast."""

import math

import torch
from torch import nn

from visrec.config import PhaseConfig
from visrec.models import TwoTower


def freeze(model: TwoTower, phase: PhaseConfig) -> int:
    """Set which parameters train in a phase; returns their number."""
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    if phase.trainable == "head" and model.item_tower.backbone is not None:
        for parameter in model.item_tower.backbone.parameters():
            parameter.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def build_optimizer(model: TwoTower, phase: PhaseConfig) -> torch.optim.AdamW:
    """AdamW with the backbone's own rate; biases, norms and item biases are not decayed."""
    backbone = model.item_tower.backbone
    in_backbone = {id(p) for p in backbone.parameters()} if backbone is not None else set()
    backbone_rate = phase.backbone_learning_rate or phase.learning_rate
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = backbone_rate if id(parameter) in in_backbone else phase.learning_rate
            decays = parameter.ndim > 1 and not name.startswith("biases")
            groups.setdefault((rate, phase.weight_decay if decays else 0.0), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": p, "lr": rate, "initial_lr": rate, "weight_decay": decay}
            for (rate, decay), p in groups.items()
        ]
    )


def learning_rate_factor(phase: PhaseConfig, step: int, num_steps: int) -> float:
    """Share of the learning rate at a step of the phase: linear warm-up, then constant or half a cosine to 0.

    Example:
        >>> [round(learning_rate_factor(PhaseConfig(warmup_steps=2), s, 10), 2) for s in (0, 1, 2, 6, 9)]
        [0.5, 1.0, 1.0, 0.5, 0.04]
    """
    if step < phase.warmup_steps:
        return (step + 1) / phase.warmup_steps
    if phase.schedule == "constant":
        return 1.0
    done = (step - phase.warmup_steps) / max(num_steps - phase.warmup_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def set_learning_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Scale every group's own rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor
