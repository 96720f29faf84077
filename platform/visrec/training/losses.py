"""Losses over the distinct items of a batch.

Shape legend: P positions (events that have a next one), N candidate items, D vector size.
"""

import torch
from torch import Tensor
from torch.nn import functional


def softmax_loss(
    users_PD: Tensor,
    items_ND: Tensor,
    biases_N: Tensor,
    targets_P: Tensor,
    *,
    log_q_N: Tensor | None = None,
    hits_PN: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of each position's next item among the candidates: [P].

    With every item of the catalogue as candidates and no `log_q_N` this is the full softmax. With a sample of them,
    `log_q_N` makes the sampled sum an unbiased estimate of the full one: a negative that lands in a fraction q of the
    samples counts 1/q times (logQ correction: Bengio and Senecal 2008; Yi et al. 2019). The target is in every sample
    of its own position, so its score stays as it is (Khrylchenko et al. 2025).

    Args:
        users_PD: User vector at each position.
        items_ND: Vectors of the candidates.
        biases_N: Their biases.
        targets_P: Place of each position's target among the candidates.
        log_q_N: Log of the probability that a sample holds the candidate.
        hits_PN: True where a candidate is another positive of the position's user (an accidental hit): no negative.
        label_smoothing: Share of the target's mass that is spread over all candidates.

    Example:
        >>> one = torch.eye(2)
        >>> softmax_loss(one[:1], one, torch.zeros(2), torch.tensor([0])).item()      # log(1 + exp(-1))
        0.31326165795326233
    """
    logits_PN = users_PD @ items_ND.T + biases_N
    rows_P = torch.arange(len(targets_P), device=targets_P.device)
    target_logits_P = logits_PN[rows_P, targets_P]
    if log_q_N is not None:
        logits_PN = logits_PN - log_q_N
    if hits_PN is not None:
        logits_PN = logits_PN.masked_fill(hits_PN, -torch.inf)
    logits_PN = logits_PN.index_put((rows_P, targets_P), target_logits_P)
    losses_P = functional.cross_entropy(logits_PN, targets_P, reduction="none")
    if label_smoothing == 0:
        return losses_P
    finite_PN = torch.isfinite(logits_PN)
    log_probabilities_PN = torch.log_softmax(logits_PN, dim=1).masked_fill(~finite_PN, 0.0)
    uniform_P = -log_probabilities_PN.sum(1) / finite_PN.sum(1)
    return (1 - label_smoothing) * losses_P + label_smoothing * uniform_P
