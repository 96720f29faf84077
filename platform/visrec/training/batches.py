"""Batch stream of one worker: seeded order, shards of global batches, restart at any step.

Shape legend: B sequences, C candidates, I items of the catalogue, K places of a pool of hard negatives, N
distinct items.
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
from visrec.training.batch import Batch
from visrec.training.examples import TrainingExample, collate, cut_windows, num_windows
from visrec.training.negatives.hard import draw_hard
from visrec.training.negatives.per_sequence import PerSequenceNegatives, explicit_negatives
from visrec.training.negatives.sampled import SampledNegatives

SHUFFLE_BLOCKS = 16
"""Blocks of users that are shuffled together; bounds the memory of a worker."""


class HardNegativeSource(Protocol):
    """Gives each user's pool of hard negatives; `HardNegativeMiner` is the one of training."""

    def pools(
        self,
        histories: list[History],
        positives: list[NDArray[np.int32]],
        request_times_B: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Item indices [B, K]."""
        ...


@dataclass(frozen=True, kw_only=True)
class BatchStream:
    """The batches of one worker.

    Attributes:
        blocks: Starts a new pass over the training events, in blocks of users.
        phase: Batch size, windows and negatives.
        max_length: Most targets of a window.
        candidates: Item indices that may be negatives, int32, ascending.
        num_items: Items of the catalogue.
        seed: Fixes the order and the negatives.
        rank: Number of this worker.
        world_size: Number of workers; each takes its shard of every global batch.
        counts_I: Training positives of each item; for negatives sampled by popularity.
        miner: Source of hard negatives.
        negative_events: Reads the negative events of a block's users; for explicit negatives.
        num_pictures_I: Pictures of each item, of which a step draws one; None where each item has its main one only.

    Example:
        >>> for batch in stream.epoch(epoch=3, skip=100):                                # doctest: +SKIP
        ...     step.run(batch)
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
    miner: HardNegativeSource | None = None
    negative_events: Callable[[Sequences], NegativeEvents] | None = None
    num_pictures_I: NDArray[np.int64] | None = None

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[Batch]:
        """Batches of one epoch, without the first `skip`; equal (seed, epoch, skip) give equal batches.

        Batches are lazy: hard negatives are mined with the model as it is when a batch is requested.

        Raises:
            DataError: There are fewer windows than workers.
        """
        for step, examples in enumerate(self._global_batches(epoch)):
            if step >= skip:
                shard = examples[self.rank :: self.world_size][: len(examples) // self.world_size]
                yield self._batch(shard, np.random.default_rng((self.seed, 1, epoch, step, self.rank)))

    @cached_property
    def sampled_negatives(self) -> SampledNegatives:
        """Sampler of the negatives that a whole batch shares."""
        counts_I = np.ones(self.num_items) if self.counts_I is None else self.counts_I
        return SampledNegatives.of(self.phase.loss, self.candidates, counts_I)

    def _global_batches(self, epoch: int) -> Iterator[list[TrainingExample]]:
        """Shuffled examples in batches of all workers together."""
        generator = np.random.default_rng((self.seed, 0, epoch))
        size = self.phase.batch_size * self.world_size
        buffer: list[TrainingExample] = []
        total = 0
        blocks = self.blocks()
        while next_blocks := list(islice(blocks, SHUFFLE_BLOCKS)):
            for block in next_blocks:
                examples = self._examples(block, generator)
                buffer += examples
                total += len(examples)
            generator.shuffle(buffer)
            while len(buffer) >= size:
                yield buffer[:size]
                buffer = buffer[size:]
        if total < self.world_size:
            raise DataError(
                f"expected at least one training sequence of two events a worker ({self.world_size}), got {total}"
            )
        if len(buffer) >= self.world_size:
            yield buffer

    def _examples(self, block: Sequences, generator: np.random.Generator) -> list[TrainingExample]:
        negative_events = None
        if self.phase.loss.num_explicit_negatives:
            assert self.negative_events is not None, "explicit negatives need the negative events"
            negative_events = self.negative_events(block)
        windows = cut_windows(block, self.max_length, self.phase.max_windows_per_user, generator)
        return [TrainingExample(block=block, negative_events=negative_events, window=w) for w in windows]

    def _batch(self, examples: list[TrainingExample], generator: np.random.Generator) -> Batch:
        loss = self.phase.loss
        is_full = loss.name == "full_softmax"
        sampled = self.candidates.astype(np.int64) if is_full else self.sampled_negatives.sample(generator)
        batch = collate(
            examples,
            sampled,
            self._per_sequence_negatives(examples, generator),
            num_items=self.num_items,
            in_batch=loss.in_batch_negatives,
            masking=loss.positive_masking,
            list_masked=loss.num_cross_batch_negatives > 0,
        )
        if self.num_pictures_I is None:
            return batch
        pictures_N = generator.integers(self.num_pictures_I[batch.item_index_N.numpy()])
        return replace(batch, pictures_N=torch.from_numpy(pictures_N))

    def _per_sequence_negatives(
        self, examples: list[TrainingExample], generator: np.random.Generator
    ) -> PerSequenceNegatives:
        loss = self.phase.loss
        sources = []
        if loss.num_hard_negatives:
            assert self.miner is not None, "hard negatives need a miner"
            request_times_B = np.array([e.times[-1] for e in examples], np.int64)
            pools_BK = self.miner.pools(
                [e.history for e in examples], [e.positives for e in examples], request_times_B
            )
            hard_BK = draw_hard(pools_BK, loss.num_hard_negatives, generator)
            sources.append(PerSequenceNegatives.at_every_position(hard_BK))
        if loss.num_explicit_negatives:
            explicit = explicit_negatives(
                [e.negative_feedback(self.candidates) for e in examples],
                [e.times[1:] for e in examples],
                limit=loss.num_explicit_negatives,
                weight=loss.explicit_negative_weight,
            )
            sources.append(explicit)
        return PerSequenceNegatives.concatenate(sources, len(examples))


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochFacts:
    """Facts of an epoch that are known before it runs.

    Attributes:
        num_steps: Batches of each worker.
        sampling_probability_I: Probability of each item to be a negative of a whole batch of one worker.
    """

    num_steps: int
    sampling_probability_I: NDArray[np.float64]


def epoch_facts(stream: BatchStream) -> EpochFacts:
    """Number of steps and sampling probabilities; they are the same in every epoch.

    An item is a negative of the whole batch if one of the batch's windows holds it (unless in-batch negatives are off),
    or if it is sampled, uniformly or by popularity. Windows are taken as drawn independently, which holds where a batch
    is small beside an epoch. Hard and explicit negatives belong to single sequences and do not count here.
    """
    phase, max_length = stream.phase, stream.max_length
    expected_I = np.zeros(stream.num_items)
    total = 0
    for block in stream.blocks():
        lengths = np.diff(block.offsets)
        windows = num_windows(lengths, max_length, phase.max_windows_per_user)
        share = np.minimum(1.0, windows * (max_length + 1) / np.maximum(lengths, 1))
        expected_I += np.bincount(block.items, weights=share[block.row_of_event], minlength=stream.num_items)
        total += int(windows.sum())
    in_window_I = np.clip(expected_I / max(total, 1), 0, 1)
    missing_I = np.ones(stream.num_items)
    if phase.loss.in_batch_negatives:
        missing_I = (1 - in_window_I) ** min(phase.batch_size, max(total, 1))
    if phase.loss.name == "full_softmax":
        missing_I[stream.candidates] = 0
    elif len(stream.candidates):
        missing_I[stream.candidates] *= stream.sampled_negatives.miss_probability_C()
    num_whole, rest = divmod(total, phase.batch_size * stream.world_size)
    return EpochFacts(
        num_steps=num_whole + (rest >= stream.world_size), sampling_probability_I=np.asarray(1 - missing_I)
    )
