"""Losses over candidates: sampled or full softmax, BPR, binary cross entropy, plain and calibrated (gBCE).

Every loss takes the scores of the candidates [P, C], the place of each position's target among them [P], and log
weights [P, C] of the candidates as negatives: 0 counts once, log w counts w times, -inf is no negative. The weight of
the target itself is ignored. A loss returns one value a position [P], which depends on that position alone.
`candidate_loss` chooses the loss of a config.

Shape legend: P positions (events that have a next one), C candidates.
"""

import torch
from torch import Tensor
from torch.nn import functional

from visrec.config import LossConfig

_SMALLEST = 1e-12
"""Guards a division by a sum of zero."""


def candidate_loss(
    loss: LossConfig,
    logits_PC: Tensor,
    targets_P: Tensor,
    log_weights_PC: Tensor | None = None,
    *,
    num_candidates: int = 0,
) -> Tensor:
    """The loss that a config names, with its settings: [P].

    Args:
        loss: Which loss.
        logits_PC: Scores.
        targets_P: Place of each position's target among the candidates.
        log_weights_PC: See `visrec.training.losses`; None: every candidate counts once.
        num_candidates: Items from which negatives are drawn; see `gbce_loss`.
    """
    if loss.name == "bpr":
        return bpr_loss(logits_PC, targets_P, log_weights_PC)
    if loss.name == "bce":
        return bce_loss(logits_PC, targets_P, log_weights_PC)
    if loss.name == "gbce":
        return gbce_loss(
            logits_PC,
            targets_P,
            log_weights_PC,
            num_candidates=num_candidates,
            calibration=loss.calibration,
        )
    return softmax_loss(logits_PC, targets_P, log_weights_PC, label_smoothing=loss.label_smoothing)


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
    if log_weights_PC is not None:
        logits_PC = logits_PC + log_weights_PC.scatter(1, targets_P.unsqueeze(1), 0.0)
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


def gbce_loss(
    logits_PC: Tensor,
    targets_P: Tensor,
    log_weights_PC: Tensor | None = None,
    *,
    num_candidates: int = 0,
    calibration: float = 0.75,
) -> Tensor:
    """Generalised binary cross entropy (gBCE, gSASRec: Petrov and Macdonald 2023): [P].

    Mean over the target and its negatives of their binary cross entropies, that of the target times beta. With a sample
    of the negatives plain cross entropy (beta 1) overestimates every probability, as the target is always there and
    another item only in a share alpha of the samples. beta = 1 - t (1 - alpha) undoes that by a degree t: from not at
    all (0) to the probabilities of plain cross entropy over all items (1).

    Arguments as in `visrec.training.losses`; a position without negatives has beta times the loss of its target.

    Args:
        logits_PC: Scores.
        targets_P: Place of each position's target among the candidates.
        log_weights_PC: See `visrec.training.losses`; None: every candidate counts once.
        num_candidates: Items from which negatives are drawn, the target among them: alpha is a position's negatives by
            the others of these, and 1 where it has as many or more.
        calibration: t.

    Example:
        >>> gbce_loss(torch.zeros(1, 3), torch.tensor([0]), num_candidates=5, calibration=1.0)   # (2 + 1/2) / 3 log 2
        tensor([0.5776])
    """
    weights_PC = _negative_weights(logits_PC, targets_P, log_weights_PC)
    num_negatives_P = weights_PC.sum(1)
    alpha_P = num_negatives_P / num_negatives_P.clamp(min=max(num_candidates - 1, 1))
    beta_P = 1 - calibration * (1 - alpha_P)
    target_logits_P = logits_PC.gather(1, targets_P.unsqueeze(1)).squeeze(1)
    negatives_P = (functional.softplus(logits_PC) * weights_PC).sum(1)
    return (beta_P * functional.softplus(-target_logits_P) + negatives_P) / (1 + num_negatives_P)


def negative_shares(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None) -> Tensor:
    """Weights of a mean over the position's negatives [P, C]: they sum to 1, or to 0 for a position without negatives.

    Example:
        >>> negative_shares(torch.zeros(1, 3), torch.tensor([0]), torch.tensor([[0.0, 0.0, -torch.inf]]))
        tensor([[0., 1., 0.]])
    """
    weights_PC = _negative_weights(logits_PC, targets_P, log_weights_PC)
    shares_PC: Tensor = weights_PC / weights_PC.sum(1, keepdim=True).clamp(min=_SMALLEST)
    return shares_PC


def _negative_weights(logits_PC: Tensor, targets_P: Tensor, log_weights_PC: Tensor | None) -> Tensor:
    """How often each candidate counts as a negative [P, C]; 0 for the target."""
    weights_PC = torch.ones_like(logits_PC) if log_weights_PC is None else log_weights_PC.exp()
    return weights_PC.scatter(1, targets_P.unsqueeze(1), 0.0)
