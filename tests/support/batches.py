"""Batches written by hand.

batch = make_batch([3, 5, 9], targets=[[1, 2]])
"""

from collections.abc import Sequence

import numpy as np
import torch

from visrec.training.batch import NEVER, Batch


def make_batch(
    items: Sequence[int],
    *,
    targets: Sequence[Sequence[int]] = ((0,),),
    shared: Sequence[bool] | None = None,
    positives: Sequence[Sequence[int]] | None = None,
    per_sequence: Sequence[Sequence[tuple[int, int, float]]] | None = None,
) -> Batch:
    """A batch of given parts.

    Args:
        items: Distinct items, ascending.
        targets: Places of each sequence's targets; -1 is padding. The history is the first item over and over.
        shared: Which items are negatives of all; default: all.
        positives: Positives of each user, which are masked; default: the targets.
        per_sequence: (place, first position, weight) of each sequence's own negatives, as many for each.
    """
    index = torch.tensor(items)
    targets_BL = torch.tensor(targets)
    positive_items = (
        [[items[t] for t in row if t >= 0] for row in targets] if positives is None else positives
    )
    masked_from = [np.where(np.isin(items, row), 0, NEVER) for row in positive_items]
    negatives_BK3 = np.array(
        per_sequence if per_sequence is not None else [[]] * len(targets), np.float64
    ).reshape(len(targets), -1, 3)
    return Batch(
        item_index_N=index,
        pictures_N=torch.zeros_like(index),
        slots_BL=torch.zeros_like(targets_BL),
        kinds_BL=torch.zeros_like(targets_BL),
        time_since_previous_BL=torch.zeros_like(targets_BL),
        time_to_next_BL=torch.zeros_like(targets_BL),
        targets_BL=targets_BL,
        masked_from_BN=torch.tensor(np.array(masked_from, np.int32)),
        shared_N=torch.tensor(shared if shared is not None else [True] * len(items)),
        per_sequence_slots_BK=torch.from_numpy(negatives_BK3[..., 0].astype(np.int64)),
        per_sequence_from_BK=torch.from_numpy(negatives_BK3[..., 1].astype(np.int64)),
        per_sequence_weights_BK=torch.from_numpy(negatives_BK3[..., 2].astype(np.float32)),
        masked_rows_E=torch.tensor([row for row, items in enumerate(positive_items) for _ in items]),
        masked_items_E=torch.tensor([item for items in positive_items for item in items]),
        masked_positions_E=torch.zeros(sum(map(len, positive_items)), dtype=torch.int32),
    )
