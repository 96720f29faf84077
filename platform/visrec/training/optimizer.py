"""Optimizer and learning-rate schedule of a phase."""

import math
from typing import Any

import torch
from torch import nn

from visrec.config import PhaseConfig
from visrec.models import TwoTower


def build_optimizer(model: TwoTower, phase: PhaseConfig) -> torch.optim.AdamW:
    """AdamW with layer-wise learning rates in the backbone, and without weight decay for biases and norms.

    The top block of the backbone has `backbone_learning_rate`, each block below it `layer_decay` times the rate of the
    block above (after ULMFiT: Howard and Ruder 2018).
    """
    rates = _block_rates(model, phase)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = rates.get(id(parameter), phase.learning_rate)
            decays = parameter.ndim > 1 and not name.startswith("biases")
            groups.setdefault((rate, phase.weight_decay if decays else 0.0), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": p, "lr": rate, "initial_lr": rate, "weight_decay": decay}
            for (rate, decay), p in groups.items()
        ]
    )


def _block_rates(model: TwoTower, phase: PhaseConfig) -> dict[int, float]:
    """Learning rate of each parameter of the backbone, by its id."""
    backbone = model.item_tower.backbone
    if backbone is None:
        return {}
    rate = phase.backbone_learning_rate or phase.learning_rate
    rates = {id(p): rate for p in backbone.parameters()}
    for depth, block in enumerate(reversed(backbone.blocks())):
        rates |= {id(p): rate * phase.layer_decay**depth for p in block.parameters()}
    return rates


def resume_optimizer(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Load the moments of a checkpoint; learning rates and weight decays stay those of the config.

    The config may differ from the checkpoint's: population-based training changes it between epochs. Where the groups
    of parameters no longer match, the moments start from zero.

    Args:
        optimizer: A new optimizer of the phase.
        saved: As `torch.optim.Optimizer.state_dict` gives it.
    """
    sizes = [
        [len(group["params"]) for group in groups]
        for groups in (optimizer.param_groups, saved["param_groups"])
    ]
    if sizes[0] != sizes[1]:
        return
    settings = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    optimizer.load_state_dict(saved)
    for group, current in zip(optimizer.param_groups, settings, strict=True):
        group.update(current)


def learning_rate_factor(phase: PhaseConfig, step: int, num_steps: int) -> float:
    """Factor on the learning rate at a step of the phase: linear warm-up, then constant or half a cosine to 0.

    Example:
        >>> [round(learning_rate_factor(PhaseConfig(warmup_steps=2), s, 10), 2) for s in (0, 1, 2, 6, 9)]
        [0.5, 1.0, 1.0, 0.5, 0.04]
    """
    if step < phase.warmup_steps:
        return (step + 1) / phase.warmup_steps
    if phase.schedule == "constant":
        return 1.0
    progress = (step - phase.warmup_steps) / max(num_steps - phase.warmup_steps, 1)
    return 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def set_learning_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set the learning rate of every group to `factor` times its initial one."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor
