"""Reproducibility and numerical health: deterministic algorithms, seeds, eval mode, detection of divergence."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from visrec.config import PhaseConfig
from visrec.errors import DivergedError


@contextmanager
def deterministic_algorithms(device: torch.device) -> Iterator[None]:
    """Make PyTorch use bitwise reproducible algorithms; the former setting is restored on exit.

    Without it the gradient of embedding look-ups, which histories and targets are, is summed by threads in the order in
    which they finish. Where a GPU has no deterministic algorithm, PyTorch warns and takes another one.

    Example:
        >>> with deterministic_algorithms(torch.device("cpu")):
        ...     torch.are_deterministic_algorithms_enabled()
        True
    """
    was_enabled = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic  # type checkers do not know its attribute
    was_filling = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    # Else PyTorch fills all fresh memory with NaN, to show where it is read before it is written: a fifth of a step.
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        memory.fill_uninitialized_memory = was_filling
        torch.use_deterministic_algorithms(was_enabled, warn_only=only_warned)


def seed_torch(*position: int) -> None:
    """Seed PyTorch's global generator from a position in the run, such as (seed, phase, epoch, step, rank)."""
    torch.manual_seed(int(np.random.SeedSequence(position).generate_state(1)[0]))


@contextmanager
def eval_mode(model: nn.Module, *, differentiable: bool = False) -> Iterator[None]:
    """Eval mode: no dropout, no new batch statistics, no random number drawn. Every module's mode is restored on exit.

    Args:
        model: The model or a part of it.
        differentiable: Also allow a backward pass on CUDA: cuDNN gives the gradient of an RNN only in training mode,
            so RNNs stay in it there.

    Example:
        >>> model = nn.Dropout()
        >>> with eval_mode(model):
        ...     model.training
        False
        >>> model.training
        True
    """
    training = [module for module in model.modules() if module.training]
    model.eval()
    if differentiable:
        for module in model.modules():
            if isinstance(module, nn.RNNBase) and next(module.parameters()).is_cuda:
                module.train()
    try:
        yield
    finally:
        model.eval()
        for module in training:
            module.training = True


def check_finite(model: nn.Module, loss: float, phase: PhaseConfig, epoch: int) -> None:
    """Refuse an epoch whose loss or weights are not finite, before it leaves a checkpoint.

    The weights are checked too, since no later loss shows what the last step of the last epoch did to them.

    Args:
        model: The model after the epoch.
        loss: Sum over the epoch.
        phase: Phase of the epoch.
        epoch: Number of the epoch within the phase, from 0.

    Raises:
        DivergedError: The loss or a weight is NaN or infinite.

    Example:
        >>> check_finite(nn.Linear(2, 1), 0.5, PhaseConfig(), 0)
    """
    problem = None if math.isfinite(loss) else f"the loss is {loss}"
    if problem is None and not all(bool(weights.isfinite().all()) for weights in model.parameters()):
        problem = "weights are not finite"
    if problem is not None:
        raise DivergedError(
            f"{problem} after epoch {epoch + 1} of phase {phase.name}; try a lower learning_rate, got "
            f"{phase.learning_rate}"
        )
