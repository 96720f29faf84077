"""Seeing that a run has diverged, before it leaves a checkpoint."""

import math

from torch import nn

from visrec.config import PhaseConfig
from visrec.errors import DivergedError


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
