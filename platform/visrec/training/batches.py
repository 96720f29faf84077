"""Batches in which every distinct item stands once, in an order that a seed fixes and any step can resume.

Shape legend: C candidates, I items of the catalogue.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.config import PhaseConfig
from visrec.data.interactions import NegativeEvents
from visrec.data.snapshot import Sequences
from visrec.errors import DataError
from visrec.models import History
from visrec.training.batch import Batch, TrainingExample, collate, cut_windows, num_windows
from visrec.training.negatives.hard import draw_hard
from visrec.training.negatives.per_sequence import PerSequenceNegatives, explicit_negatives
from visrec.training.negatives.sampled import DrawnNegatives


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochFacts:
    """What is known of an epoch before it runs.

    Attributes:
        num_steps: Batches that each worker gets.
        sampling_probability_I: For each item the probability that it is a negative of a whole batch of one worker.
    """

    num_steps: int
    sampling_probability_I: NDArray[np.float64]


SHUFFLE_BLOCKS = 16
"""Blocks of users that are shuffled together; bounds the memory of a worker."""


class PoolMiner(Protocol):
    """Gives each user's pool of hard negatives; see `HardMiner`."""

    def pools(
        self,
        histories: list[History],
        positives: list[NDArray[np.int32]],
        moments: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Item indices [B, K]."""
        ...


@dataclass(frozen=True, kw_only=True)
class BatchStream:
    """The batches of one worker.

    Attributes:
        blocks: Makes a new pass over the training events, in blocks of users.
        phase: Its batch size, windows and negatives.
        max_length: Longest window.
        candidates: Item indices that may be negatives, int32, ascending.
        num_items: Items of the catalogue.
        seed: Fixes the order.
        rank: This worker's place.
        world_size: Number of workers; each takes its slice of every global batch.
        counts_I: Training positives of each item; for negatives by popularity.
        miner: For hard negatives.
        rejections: Negative events of a block's users; for explicit negatives.
        num_pictures_I: Pictures of each item, of which a step draws one; None where each item shows its main one.
    """

    blocks: Callable[[], Iterator[Sequences]]
    phase: PhaseConfig
    max_length: int
    candidates: NDArray[np.int32]
    num_items: int
    seed: int
    rank: int = 0
    world_size: int = 1
    counts_I: NDArray[Any] | None = None
    miner: PoolMiner | None = None
    rejections: Callable[[Sequences], NegativeEvents] | None = None
    num_pictures_I: NDArray[np.int64] | None = None

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[Batch]:
        """Batches of one epoch, without the first `skip`; equal (seed, epoch, skip) give equal batches.

        Each is made when it is asked for: hard negatives are mined with the model as it is then.

        Raises:
            DataError: There are fewer windows than workers.
        """
        for step, chunk in enumerate(self._global_batches(epoch)):
            if step >= skip:
                mine = chunk[self.rank :: self.world_size][: len(chunk) // self.world_size]
                yield self._batch(mine, np.random.default_rng((self.seed, 1, epoch, step, self.rank)))

    @cached_property
    def drawn(self) -> DrawnNegatives:
        """The negatives that are drawn for a whole batch."""
        counts_I = np.ones(self.num_items) if self.counts_I is None else self.counts_I
        return DrawnNegatives.of(self.phase.loss, self.candidates, counts_I)

    def _global_batches(self, epoch: int) -> Iterator[list[TrainingExample]]:
        generator = np.random.default_rng((self.seed, 0, epoch))
        size = self.phase.batch_size * self.world_size
        waiting: list[TrainingExample] = []
        total = 0
        blocks = self.blocks()
        while buffer := list(islice(blocks, SHUFFLE_BLOCKS)):
            for block in buffer:
                rejections = self._rejections(block)
                cut = cut_windows(block, self.max_length, self.phase.max_windows_per_user, generator)
                pieces = [
                    TrainingExample(block=block, rejections=rejections, window=window) for window in cut
                ]
                waiting += pieces
                total += len(pieces)
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

    def _rejections(self, block: Sequences) -> NegativeEvents | None:
        if not self.phase.loss.num_explicit_negatives:
            return None
        assert self.rejections is not None, "explicit negatives need the events"
        return self.rejections(block)

    def _batch(self, pieces: list[TrainingExample], generator: np.random.Generator) -> Batch:
        loss = self.phase.loss
        full = loss.name == "full_softmax"
        drawn = self.candidates.astype(np.int64) if full else self.drawn.draw(generator)
        batch = collate(
            pieces,
            drawn,
            self._own_negatives(pieces, generator),
            num_items=self.num_items,
            in_batch=loss.in_batch_negatives,
            spare=loss.positive_masking,
            list_spared=loss.num_cross_batch_negatives > 0,
        )
        if self.num_pictures_I is None:
            return batch
        pictures_N = generator.integers(self.num_pictures_I[batch.item_index_N.numpy()])
        return replace(batch, pictures_N=torch.from_numpy(pictures_N))

    def _own_negatives(
        self, pieces: list[TrainingExample], generator: np.random.Generator
    ) -> PerSequenceNegatives:
        loss = self.phase.loss
        sources = []
        if loss.num_hard_negatives:
            assert self.miner is not None, "hard negatives need a miner"
            moments = np.array([piece.times[-1] for piece in pieces], np.int64)
            pools = self.miner.pools([p.history for p in pieces], [p.positives for p in pieces], moments)
            sources.append(
                PerSequenceNegatives.everywhere(draw_hard(pools, loss.num_hard_negatives, generator))
            )
        if loss.num_explicit_negatives:
            explicit = explicit_negatives(
                [piece.rejected(self.candidates) for piece in pieces],
                [piece.times[1:] for piece in pieces],
                limit=loss.num_explicit_negatives,
                weight=loss.explicit_negative_weight,
            )
            sources.append(explicit)
        return PerSequenceNegatives.join(sources, len(pieces))


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
    return EpochFacts(
        num_steps=whole + (rest >= stream.world_size), sampling_probability_I=np.asarray(1 - outside)
    )
