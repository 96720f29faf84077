"""Bayesian personalised ranking. Shape legend: P positions, C candidates."""

from torch import Tensor
from torch.nn import functional

from visrec.training.losses.weights import negative_shares


def bpr_loss(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None = None) -> Tensor:
    """-log sigmoid(score of the target - score of a negative), weighted mean over the position's negatives: [P].

    After Rendle et al. 2009, who draw one negative a position. Arguments as in `visrec.training.losses`; a position
    without negatives has loss 0.

    Example:
        >>> bpr_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([0])).item()            # log(1 + exp(-1))
        0.31326165795326233
    """
    target_logits_P1 = logits_PC.gather(1, targets_P.unsqueeze(1))
    shares_PC = negative_shares(logits_PC, targets_P, log_weights_PC)
    return (functional.softplus(logits_PC - target_logits_P1) * shares_PC).sum(1)
