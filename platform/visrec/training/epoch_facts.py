"""What is known of an epoch before it runs: how many steps, and the odds of each item to be a negative."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.training.batches import BatchStream
from visrec.training.windows import num_windows


@dataclass(frozen=True)
class EpochFacts:
    """What is known of an epoch before it runs.

    Attributes:
        num_steps: Batches that each worker gets.
        inclusion_I: For each item the probability that it is a negative of a whole batch of one worker.
    """

    num_steps: int
    inclusion_I: NDArray[np.float64]


def epoch_facts(stream: BatchStream) -> EpochFacts:
    """Count the windows of an epoch; they are as many in every epoch.

    An item is a negative of the whole batch if one of the batch's windows holds it (unless in-batch negatives are off),
    or if it is drawn, uniformly or by popularity. Windows are taken as drawn independently, which holds where a batch
    is small beside an epoch. Hard and explicit negatives belong to single sequences and do not count here.
    """
    phase, max_length = stream.phase, stream.max_length
    expected = np.zeros(stream.num_items)
    total = 0
    for block in stream.blocks():
        lengths = np.diff(block.offsets)
        windows = num_windows(lengths, max_length, phase.max_windows_per_user)
        share = np.minimum(1.0, windows * (max_length + 1) / np.maximum(lengths, 1))
        expected += np.bincount(block.items, weights=share[block.row_of_event], minlength=stream.num_items)
        total += int(windows.sum())
    in_window = np.clip(expected / max(total, 1), 0, 1)
    outside = np.ones(stream.num_items)
    if phase.loss.in_batch_negatives:
        outside = (1 - in_window) ** min(phase.batch_size, max(total, 1))
    if phase.loss.name == "full_softmax":
        outside[stream.candidates] = 0
    elif len(stream.candidates):
        outside[stream.candidates] *= stream.drawn.missing_C()
    whole, rest = divmod(total, phase.batch_size * stream.world_size)
    return EpochFacts(whole + (rest >= stream.world_size), np.asarray(1 - outside))
