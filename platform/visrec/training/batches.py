"""Batches in which every distinct item stands once, in an order that a seed fixes and any step can resume.

Shape legend: B sequences, L positions, N distinct items.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from visrec.config import PhaseConfig
from visrec.data.snapshot import Sequences
from visrec.errors import DataError
from visrec.models import gap_buckets
from visrec.training.windows import Window, cut_windows, num_windows

SHUFFLE_BLOCKS = 16
"""Blocks of users that are shuffled together; bounds the memory of a worker."""


@dataclass(frozen=True)
class Batch:
    """Index tensors of one step; pixels are looked up by `item_index_N`.

    Attributes:
        item_index_N: Distinct items: those of the windows, and drawn negatives; sorted.
        slots_BL: Place of each history event's item among the distinct ones; 0 where padded.
        kinds_BL: Codes of the history events' kinds.
        gaps_BL: Time-gap buckets of the history events.
        targets_BL: Place of the next event's item; -1 where padded.
        hits_BN: True where a distinct item is any training positive of the user.
    """

    item_index_N: Tensor
    slots_BL: Tensor
    kinds_BL: Tensor
    gaps_BL: Tensor
    targets_BL: Tensor
    hits_BN: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        return Batch(**{name: tensor.to(device) for name, tensor in vars(self).items()})


@dataclass(frozen=True)
class BatchStream:
    """The batches of one worker.

    Attributes:
        blocks: Makes a new pass over the training events, in blocks of users.
        phase: Its batch size, windows and negatives.
        max_length: Longest window.
        candidates: Item indices that may be drawn as negatives, int32.
        num_items: Items of the catalogue.
        seed: Fixes the order.
        rank: This worker's place.
        world_size: Number of workers; each takes its slice of every global batch.
    """

    blocks: Callable[[], Iterator[Sequences]]
    phase: PhaseConfig
    max_length: int
    candidates: NDArray[np.int32]
    num_items: int
    seed: int
    rank: int = 0
    world_size: int = 1

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[Batch]:
        """Batches of one epoch, without the first `skip`; equal (seed, epoch, skip) give equal batches.

        Raises:
            DataError: There are fewer windows than workers.
        """
        for step, chunk in enumerate(self._global_batches(epoch)):
            if step >= skip:
                mine = chunk[self.rank :: self.world_size][: len(chunk) // self.world_size]
                yield self._batch(mine, np.random.default_rng((self.seed, 1, epoch, step, self.rank)))

    def _global_batches(self, epoch: int) -> Iterator[list[tuple[Sequences, Window]]]:
        generator = np.random.default_rng((self.seed, 0, epoch))
        size = self.phase.batch_size * self.world_size
        waiting: list[tuple[Sequences, Window]] = []
        total = 0
        blocks = self.blocks()
        while buffer := list(islice(blocks, SHUFFLE_BLOCKS)):
            for block in buffer:
                cut = cut_windows(block, self.max_length, self.phase.max_windows_per_user, generator)
                windows = [(block, window) for window in cut]
                waiting += windows
                total += len(windows)
            generator.shuffle(waiting)
            while len(waiting) >= size:
                yield waiting[:size]
                waiting = waiting[size:]
        if total < self.world_size:
            raise DataError(
                f"expected at least one training sequence of two events a worker ({self.world_size}), got {total}"
            )
        if len(waiting) >= self.world_size:
            yield waiting

    def _batch(self, windows: Sequence[tuple[Sequences, Window]], generator: np.random.Generator) -> Batch:
        width = max(w.stop - w.start for _, w in windows) - 1
        shape = (len(windows), width)
        items_BL1 = np.full((len(windows), width + 1), -1, np.int64)
        kinds_BL, times_BL1 = np.zeros(shape, np.int64), np.zeros((len(windows), width + 1), np.int64)
        for row, (block, window) in enumerate(windows):
            begin = block.offsets[window.row]
            events = slice(begin + window.start, begin + window.stop)
            length = window.stop - window.start
            items_BL1[row, :length] = block.items[events]
            kinds_BL[row, : length - 1] = block.kinds[events][:-1]
            times_BL1[row, :length] = block.times[events]
        distinct_N = self._distinct(items_BL1, generator)
        slot_of_item = np.full(self.num_items + 1, -1, np.int64)  # the last place is for padding (-1)
        slot_of_item[distinct_N] = np.arange(len(distinct_N))
        slots_BL1 = slot_of_item[items_BL1]
        return Batch(
            item_index_N=torch.from_numpy(distinct_N),
            slots_BL=torch.from_numpy(slots_BL1[:, :-1].clip(min=0)),
            kinds_BL=torch.from_numpy(kinds_BL),
            gaps_BL=gap_buckets(torch.from_numpy(times_BL1[:, :-1])),
            targets_BL=torch.from_numpy(slots_BL1[:, 1:].copy()),
            hits_BN=torch.from_numpy(_hits(windows, slot_of_item, len(distinct_N))),
        )

    def _distinct(self, items_BL1: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
        inside = items_BL1[items_BL1 >= 0]
        if self.phase.loss.name == "full_softmax":
            return np.union1d(inside, self.candidates).astype(np.int64)
        drawn = generator.choice(self.candidates, self.phase.loss.num_uniform_negatives)
        return np.union1d(inside, drawn).astype(np.int64)


@dataclass(frozen=True)
class EpochFacts:
    """What is known of an epoch before it runs.

    Attributes:
        num_steps: Batches that each worker gets.
        inclusion_I: For each item the probability that a batch of one worker holds it.
    """

    num_steps: int
    inclusion_I: NDArray[np.float64]


def epoch_facts(stream: BatchStream) -> EpochFacts:
    """Count the windows of an epoch; they are as many in every epoch.

    An item is in a batch if one of the batch's windows holds it, or if it is drawn as a negative. Windows are taken as
    drawn independently, which holds where a batch is small beside an epoch.
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
    outside = (1 - in_window) ** min(phase.batch_size, max(total, 1))
    if phase.loss.name == "full_softmax":
        outside[stream.candidates] = 0
    elif phase.loss.num_uniform_negatives:
        outside[stream.candidates] *= (1 - 1 / len(stream.candidates)) ** phase.loss.num_uniform_negatives
    whole, rest = divmod(total, phase.batch_size * stream.world_size)
    return EpochFacts(whole + (rest >= stream.world_size), np.asarray(1 - outside))


def _hits(
    windows: Sequence[tuple[Sequences, Window]], slot_of_item: NDArray[np.int64], num: int
) -> NDArray[np.bool_]:
    hits_BN = np.zeros((len(windows), num), bool)
    for row, (block, window) in enumerate(windows):
        slots = slot_of_item[block.items[block.offsets[window.row] : block.offsets[window.row + 1]]]
        hits_BN[row, slots[slots >= 0]] = True
    return hits_BN
