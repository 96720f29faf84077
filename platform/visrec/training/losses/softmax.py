"""Softmax losses, full and sampled. Shape legend: P positions, C candidates."""

import torch
from torch import Tensor
from torch.nn import functional


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
    sample of its own position, so its score stays as it is (Khrylchenko et al. 2025).

    Args:
        logits_PC: Scores.
        targets_P: Place of each position's target among the candidates.
        log_weights_PC: See `visrec.training.losses`; None: every candidate counts once.
        label_smoothing: Share of the target's mass that is spread over all candidates.

    Example:
        >>> softmax_loss(torch.eye(2)[:1], torch.tensor([0])).item()                  # log(1 + exp(-1))
        0.31326165795326233
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
