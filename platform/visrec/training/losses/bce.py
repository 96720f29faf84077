"""Binary cross entropy. Shape legend: P positions, C candidates."""

from torch import Tensor
from torch.nn import functional

from visrec.training.losses.weights import negative_shares


def bce_loss(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None = None) -> Tensor:
    """Binary cross entropy of the target (1) and the negatives (0): [P].

    The target weighs one half and the negatives together the other, however many there are: with a sum instead, more
    negatives would push every score down, and a plain mean over both would hardly see the target. Arguments as in
    `visrec.training.losses`; a position without negatives has its target's half alone.

    Example:
        >>> bce_loss(torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([0])).item()       # log 2
        0.6931471824645996
    """
    target_logits_P = logits_PC.gather(1, targets_P.unsqueeze(1)).squeeze(1)
    shares_PC = negative_shares(logits_PC, targets_P, log_weights_PC)
    negatives_P = (functional.softplus(logits_PC) * shares_PC).sum(1)
    return (functional.softplus(-target_logits_P) + negatives_P) / 2
