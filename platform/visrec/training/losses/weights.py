"""From log weights to the shares of a mean over negatives. Shape legend: P positions, C candidates."""

import torch
from torch import Tensor

_SMALLEST = 1e-12


def negative_shares(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None) -> Tensor:
    """Share of each candidate in a mean over the position's negatives [P, C]; zeros for a position without any.

    Example:
        >>> negative_shares(torch.zeros(1, 3), torch.tensor([0]), torch.tensor([[0.0, 0.0, torch.inf * -1]]))
        tensor([[0., 1., 0.]])
    """
    weights_PC = torch.ones_like(logits_PC) if log_weights_PC is None else log_weights_PC.exp()
    weights_PC = weights_PC.scatter(1, targets_P.unsqueeze(1), 0.0)
    shares_PC: Tensor = weights_PC / weights_PC.sum(1, keepdim=True).clamp(min=_SMALLEST)
    return shares_PC
