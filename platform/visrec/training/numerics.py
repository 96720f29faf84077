"""Seeing that a run has diverged, before it leaves a checkpoint."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from visrec.config import PhaseConfig
from visrec.errors import DivergedError


@contextmanager
def deterministic_algorithms(device: torch.device) -> Iterator[None]:
    """Within, PyTorch takes algorithms that give the same bits each time; afterwards what it took before.

    Without it the gradient of looking up rows, which histories and targets do, is summed by threads in the order in
    which they come. Where a GPU has no such algorithm, PyTorch warns and goes on.

    Example:
        >>> with deterministic_algorithms(torch.device("cpu")):
        ...     torch.are_deterministic_algorithms_enabled()
        True
    """
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)


def check_finite(model: nn.Module, loss: float, phase: PhaseConfig, epoch: int) -> None:
    """Refuse an epoch whose losses, or whose weights after its last step, are not finite: no later loss tells of those.

    Args:
        model: As the epoch left it.
        loss: Sum over the epoch.
        phase: That the epoch belongs to.
        epoch: Number of it within the phase, from 0.

    Raises:
        DivergedError: They are not.

    Example:
        >>> check_finite(nn.Linear(2, 1), 0.5, PhaseConfig(), 0)
    """
    wrong = None if math.isfinite(loss) else f"the loss is {loss}"
    if wrong is None and not all(bool(weights.isfinite().all()) for weights in model.parameters()):
        wrong = "weights are not finite"
    if wrong is not None:
        raise DivergedError(
            f"{wrong} after epoch {epoch + 1} of phase {phase.name}; try a lower learning_rate, got "
            f"{phase.learning_rate}"
        )
