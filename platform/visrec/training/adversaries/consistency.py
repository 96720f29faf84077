"""Scores that stay where they are when a picture changes a little.

Shape legend: B sequences, L positions, P valid positions, S perturbed pictures, D vector size.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from visrec.config import ConsistencyAdversary
from visrec.models import TowerOutput
from visrec.training.adversaries.pixels import at_rest, search
from visrec.training.forward import Forward


def consistency_losses(config: ConsistencyAdversary, forward: Forward) -> Iterator[Tensor]:
    """Clean losses plus `weight` times the largest shift of scores that a small change of a picture can make.

    The shift of an item is the mean over the batch's users of (score of the changed picture - score of the picture)
    squared: what TRADES (Zhang et al. 2019) does for a classifier. It needs the item tower alone, and some of the
    batch's pictures at a time are enough, so that it costs little more than plain training.
    """
    output = forward.output()
    yield forward.losses_of(output) + config.weight * score_shift(config, forward, output)


def score_shift(config: ConsistencyAdversary, forward: Forward, output: TowerOutput) -> Tensor:
    """Mean squared shift of the scores of some of the batch's items, under the change that makes it largest: scalar."""
    assert forward.inputs is not None and forward.start == 0, "an adversary of pixels needs pictures"
    tower, device = forward.model.item_tower, output.items_ND.device
    # The global random numbers, which the step seeds, choose the pictures and the start.
    chosen_S = torch.randperm(len(forward.inputs))[: config.num_pictures].to(device)
    images, index_S = forward.inputs[chosen_S].float(), forward.batch.item_index_N[chosen_S]
    users_PD = output.users_BLD[forward.batch.targets_BL >= 0].detach()
    moments_DD = users_PD.T @ users_PD / len(users_PD)

    def shift(changed: Tensor, at_SD: Tensor) -> Tensor:
        moved_SD = tower(changed, index_S) - at_SD
        shifts_S: Tensor = ((moved_SD @ moments_DD) * moved_SD).sum(1)
        return shifts_S

    with at_rest(forward.model):
        clean_SD = tower(images, index_S)
        changed = search(config, lambda x: shift(x, clean_SD.detach()).sum(), images)
        return shift(changed, clean_SD).mean()
