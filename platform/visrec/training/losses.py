"""Losses over candidates: sampled or full softmax, BPR, binary cross entropy.

Every loss takes the scores of the candidates [P, C], the place of each position's target among them [P], and log
weights [P, C] of the candidates as negatives: 0 counts once, log w counts w times, -inf is no negative. The weight of
the target itself is ignored. A loss returns one value a position [P], which depends on that position alone.

Shape legend: P positions (events that have a next one), C candidates.
"""

import torch
from torch import Tensor
from torch.nn import functional

_SMALLEST = 1e-12
"""Guards a division by a sum of zero."""


def softmax_loss(
    logits_PC: Tensor,
    targets_P: Tensor,
    log_weights_PC: Tensor | None = None,
    *,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of each position's target among the candidates: [P].

    With every item of the catalogue as candidates and no weights this is the full softmax. With a sample of them,
    weights 1 / q make the sampled sum an unbiased estimate of the full one: a negative that lands in a fraction q of
    the samples counts 1 / q times (logQ correction: Bengio and Senecal 2008; Yi et al. 2019). The target is in every
    sample of its own position, so its score is not corrected (Khrylchenko et al. 2025).

    Args:
        logits_PC: Scores.
        targets_P: Place of each position's target among the candidates.
        log_weights_PC: See `visrec.training.losses`; None: every candidate counts once.
        label_smoothing: Share of the target's mass that is spread over all candidates.

    Example:
        >>> softmax_loss(torch.eye(2)[:1], torch.tensor([0]))                         # log(1 + exp(-1))
        tensor([0.3133])
    """
    rows_P = torch.arange(len(targets_P), device=targets_P.device)
    if log_weights_PC is not None:
        target_logits_P = logits_PC[rows_P, targets_P]
        logits_PC = (logits_PC + log_weights_PC).index_put((rows_P, targets_P), target_logits_P)
    losses_P = functional.cross_entropy(logits_PC, targets_P, reduction="none")
    if label_smoothing == 0:
        return losses_P
    finite_PC = torch.isfinite(logits_PC)
    log_probabilities_PC = torch.log_softmax(logits_PC, dim=1).masked_fill(~finite_PC, 0.0)
    uniform_P = -log_probabilities_PC.sum(1) / finite_PC.sum(1)
    return (1 - label_smoothing) * losses_P + label_smoothing * uniform_P


def bpr_loss(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None = None) -> Tensor:
    """BPR: -log sigmoid(score of the target - score of a negative), weighted mean over the negatives: [P].

    After Rendle et al. 2009, who draw one negative a position. Arguments as in `visrec.training.losses`; a position
    without negatives has loss 0.

    Example:
        >>> bpr_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))                   # log(1 + exp(-1))
        tensor([0.3133])
    """
    target_logits_P1 = logits_PC.gather(1, targets_P.unsqueeze(1))
    shares_PC = negative_shares(logits_PC, targets_P, log_weights_PC)
    return (functional.softplus(logits_PC - target_logits_P1) * shares_PC).sum(1)


def bce_loss(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None = None) -> Tensor:
    """Binary cross entropy of the target (label 1) and the negatives (label 0): [P].

    The target has half of the weight and the negatives together the other half, however many there are: a sum would
    lower every score as negatives are added, and a plain mean would give the target hardly any weight. Arguments as in
    `visrec.training.losses`; a position without negatives has the half of its target alone.

    Example:
        >>> bce_loss(torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([0]))              # log 2
        tensor([0.6931])
    """
    target_logits_P = logits_PC.gather(1, targets_P.unsqueeze(1)).squeeze(1)
    shares_PC = negative_shares(logits_PC, targets_P, log_weights_PC)
    negatives_P = (functional.softplus(logits_PC) * shares_PC).sum(1)
    return (functional.softplus(-target_logits_P) + negatives_P) / 2


def negative_shares(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None) -> Tensor:
    """Weights of a mean over the position's negatives [P, C]: they sum to 1, or to 0 for a position without negatives.

    Example:
        >>> negative_shares(torch.zeros(1, 3), torch.tensor([0]), torch.tensor([[0.0, 0.0, -torch.inf]]))
        tensor([[0., 1., 0.]])
    """
    weights_PC = torch.ones_like(logits_PC) if log_weights_PC is None else log_weights_PC.exp()
    weights_PC = weights_PC.scatter(1, targets_P.unsqueeze(1), 0.0)
    shares_PC: Tensor = weights_PC / weights_PC.sum(1, keepdim=True).clamp(min=_SMALLEST)
    return shares_PC
