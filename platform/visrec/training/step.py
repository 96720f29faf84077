"""One step: encode the distinct pictures once, score every position, update.

Shape legend: B sequences, P valid positions, N distinct items, H x W pixels, D vector size, I items of the catalogue.
"""

import torch
from torch import Tensor, nn

from visrec.config import LossConfig, PhaseConfig
from visrec.data.snapshot import Snapshot
from visrec.models import TowerOutput, TwoTower
from visrec.training.batches import Batch
from visrec.training.losses import softmax_loss


def train_step(
    snapshot: Snapshot,
    model: TwoTower,
    wrapped: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    phase: PhaseConfig,
    log_q_I: Tensor,
) -> dict[str, float]:
    """Forward, backward and update for one batch; returns the sums of loss, positions, images and sequences.

    Args:
        snapshot: Where the pictures are.
        model: The towers.
        wrapped: The same under DDP, or the same itself.
        optimizer: Of the phase.
        batch: Index tensors, on the CPU.
        phase: Its loss and gradient clip.
        log_q_I: Log of each item's probability to be in a batch.
    """
    device = log_q_I.device
    device_batch = batch.to(device)
    images_NHWC = None
    if model.item_tower.needs_pixels:
        rows = snapshot.image_rows[batch.item_index_N.numpy()]
        images_NHWC = torch.from_numpy(snapshot.images.read(rows)).to(device)
    output: TowerOutput = wrapped(
        images_NHWC,
        device_batch.item_index_N,
        device_batch.slots_BL,
        device_batch.kinds_BL,
        device_batch.gaps_BL,
    )
    losses_P = batch_loss(output, device_batch, phase.loss, log_q_I)
    optimizer.zero_grad(set_to_none=True)
    losses_P.mean().backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], phase.gradient_clip)
    optimizer.step()
    return {
        "loss": float(losses_P.detach().sum()),
        "positions": len(losses_P),
        "images": len(batch.item_index_N) if images_NHWC is not None else 0,
        "sequences": len(batch.slots_BL),
    }


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
