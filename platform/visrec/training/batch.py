"""Index tensors of one training step.

Shape legend: B sequences, L positions, N distinct items, K per-sequence negatives, E masked positives of all users.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

NEVER = 2**31 - 1
"""Instead of a position: an item that is masked at no position of a sequence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Index tensors of one step; pictures are looked up by `item_index_N` and `pictures_N`.

    Attributes:
        item_index_N: Distinct items of the windows and of all negatives, ascending.
        pictures_N: Number of the picture by which each distinct item is encoded; 0 is its main one.
        slots_BL: Place of each history event's item among the distinct ones; 0 where padded.
        kinds_BL: Codes of the history events' kinds.
        time_since_previous_BL: Buckets of the time from the event before to each history event.
        time_to_next_BL: Buckets of the time from each history event to the next event.
        targets_BL: Place of the next event's item among the distinct ones; -1 where padded.
        masked_from_BN: First position of the sequence at which a distinct item is masked as a negative, since it is a
            positive of the user; `NEVER` where it is not. int32.
        shared_N: Whether a distinct item is a negative of every sequence that does not mask it.
        per_sequence_slots_BK: Places of the negatives that belong to one sequence; 0 where it has fewer.
        per_sequence_from_BK: First position at which each of these is a negative.
        per_sequence_weights_BK: Weight of each; 0 where a sequence has fewer.
        masked_rows_E: Row of the user of each masked positive; empty where no negatives of other batches are used.
        masked_items_E: Its item index.
        masked_positions_E: First position at which it is masked.
    """

    item_index_N: Tensor
    pictures_N: Tensor
    slots_BL: Tensor
    kinds_BL: Tensor
    time_since_previous_BL: Tensor
    time_to_next_BL: Tensor
    targets_BL: Tensor
    masked_from_BN: Tensor
    shared_N: Tensor
    per_sequence_slots_BK: Tensor
    per_sequence_from_BK: Tensor
    per_sequence_weights_BK: Tensor
    masked_rows_E: Tensor
    masked_items_E: Tensor
    masked_positions_E: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})
