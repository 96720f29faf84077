"""What a step minimises: the losses of a batch's positions over their candidates, by the phase's settings.

Shape legend: P valid positions, D vector size, N distinct items of the batch, K own negatives a sequence, Q remembered
items, C candidates (N + K + Q), I items of the catalogue.
"""

import torch
from torch import Tensor

from visrec.config import LossConfig
from visrec.models import TowerOutput
from visrec.training.batch import Batch
from visrec.training.losses import bce_loss, bpr_loss, softmax_loss
from visrec.training.negatives.queue import Remembered


def batch_loss(
    output: TowerOutput,
    batch: Batch,
    loss: LossConfig,
    log_q_I: Tensor | None,
    remembered: Remembered | None = None,
) -> Tensor:
    """Loss of every valid position of a batch: [P].

    Args:
        output: Vectors of the batch.
        batch: Its index tensors.
        loss: Which loss.
        log_q_I: Log of each item's probability to be a negative of the whole batch; None for no correction.
        remembered: Items of recent batches.
    """
    rows_P, columns_P = torch.nonzero(batch.targets_BL >= 0, as_tuple=True)
    targets_P = batch.targets_BL[rows_P, columns_P]
    corrects = loss.name == "sampled_softmax" and loss.logq_correction
    logits_PC, log_weights_PC = _candidates(
        output, batch, rows_P, columns_P, targets_P, log_q_I if corrects else None, remembered
    )
    if loss.name == "bpr":
        return bpr_loss(logits_PC, targets_P, log_weights_PC)
    if loss.name == "bce":
        return bce_loss(logits_PC, targets_P, log_weights_PC)
    return softmax_loss(logits_PC, targets_P, log_weights_PC, label_smoothing=loss.label_smoothing)


def _candidates(
    output: TowerOutput,
    batch: Batch,
    rows_P: Tensor,
    columns_P: Tensor,
    targets_P: Tensor,
    log_q_I: Tensor | None,
    remembered: Remembered | None,
) -> tuple[Tensor, Tensor]:
    """Scores and log weights [P, C]. The batch's items come first, so that a target's slot is its place."""
    users_PD = output.users_BLD[rows_P, columns_P]
    logits_PN = users_PD @ output.items_ND.T + output.biases_N
    num_batches = 1 if remembered is None else 1 + remembered.num_batches
    unwanted_PN = (batch.spared_from_BN[rows_P] <= columns_P.unsqueeze(1)) | ~batch.shared_N
    log_weights_N = _log_weights(log_q_I, batch.item_index_N, num_batches)
    parts = [(logits_PN, log_weights_N.expand_as(logits_PN).masked_fill(unwanted_PN, -torch.inf))]
    if batch.own_slots_BK.shape[1]:
        early_PK = columns_P.unsqueeze(1) < batch.own_from_BK[rows_P]
        log_weights_PK = batch.own_weights_BK.log()[rows_P].masked_fill(early_PK, -torch.inf)
        parts.append((logits_PN.gather(1, batch.own_slots_BK[rows_P]), log_weights_PK))
    if remembered is not None:
        logits_PQ = users_PD @ remembered.vectors_QD.T + remembered.biases_Q
        log_weights_Q = _log_weights(log_q_I, remembered.item_index_Q, num_batches)
        is_target_PQ = remembered.item_index_Q == batch.item_index_N[targets_P].unsqueeze(1)
        unwanted_PQ = (remembered.spared_from_BQ[rows_P] <= columns_P.unsqueeze(1)) | is_target_PQ
        parts.append((logits_PQ, log_weights_Q.expand_as(logits_PQ).masked_fill(unwanted_PQ, -torch.inf)))
    if len(parts) == 1:
        return parts[0]
    logits, log_weights = zip(*parts, strict=True)
    return torch.cat(logits, dim=1), torch.cat(log_weights, dim=1)


def _log_weights(log_q_I: Tensor | None, item_index: Tensor, num_batches: int) -> Tensor:
    """-log of the probability that at least one of so many independent batches holds the item; 0 without correction."""
    if log_q_I is None:
        return torch.zeros(len(item_index), device=item_index.device)
    log_q = log_q_I[item_index]
    if num_batches == 1:
        return -log_q
    return -torch.log(-torch.expm1(num_batches * torch.log1p(-log_q.exp())))
