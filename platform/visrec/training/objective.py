"""What a step minimises: the losses of a batch's positions, by the phase's settings.

Shape legend: P valid positions, I items of the catalogue.
"""

import torch
from torch import Tensor

from visrec.config import LossConfig
from visrec.models import TowerOutput
from visrec.training.batches import Batch
from visrec.training.losses import softmax_loss


def batch_loss(output: TowerOutput, batch: Batch, loss: LossConfig, log_q_I: Tensor | None) -> Tensor:
    """Loss of every valid position of a batch: [P]."""
    rows_P, columns_P = torch.nonzero(batch.targets_BL >= 0, as_tuple=True)
    corrects = loss.name == "sampled_softmax" and loss.logq_correction and log_q_I is not None
    return softmax_loss(
        output.users_BLD[rows_P, columns_P],
        output.items_ND,
        output.biases_N,
        batch.targets_BL[rows_P, columns_P],
        log_q_N=log_q_I[batch.item_index_N] if corrects and log_q_I is not None else None,
        hits_PN=batch.hits_BN[rows_P],
        label_smoothing=loss.label_smoothing,
    )
