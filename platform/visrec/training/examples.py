"""Training examples: windows of user sequences, and their collation with negatives into batches.

Shape legend: B sequences, L positions, N distinct items, K per-sequence negatives, E masked positives of all users.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from visrec.data.interactions import NegativeEvents
from visrec.data.snapshot import Sequences
from visrec.models import History, time_buckets
from visrec.training.batch import NEVER, Batch
from visrec.training.negatives.per_sequence import NegativeFeedback, PerSequenceNegatives

PositiveMasking = Literal["all", "seen", "none"]
"""Which positives of a user are masked as negatives; see `LossConfig.positive_masking`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Events `start` to `stop` (exclusive) of one user's sequence: the first is history only, the last target only.

    Attributes:
        row: Row of the user in a block of sequences.
        start: First event, counted from the start of the sequence.
        stop: Event after the last one.
    """

    row: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def num_windows(lengths: NDArray[np.int64], max_length: int, max_windows: int) -> NDArray[np.int64]:
    """Windows per epoch of sequences of the given lengths.

    Example:
        >>> num_windows(np.array([0, 1, 2, 11, 12, 1000]), 10, 3).tolist()
        [0, 0, 1, 1, 2, 3]
    """
    return np.asarray(np.minimum(-(-np.maximum(lengths - 1, 0) // max_length), max_windows))


def cut_windows(
    sequences: Sequences, max_length: int, max_windows: int, generator: np.random.Generator
) -> Iterator[Window]:
    """Cut every sequence of at least two events into windows of at most `max_length` targets, at a random offset."""
    lengths = np.diff(sequences.offsets)
    uncapped = num_windows(lengths, max_length, int(lengths.max(initial=0)))
    for row, (length, num_whole) in enumerate(zip(lengths.tolist(), uncapped.tolist(), strict=True)):
        if num_whole == 0:
            continue
        first = 1 - int(generator.integers(num_whole * max_length - (length - 1) + 1))
        chosen: NDArray[np.int64] = np.arange(num_whole)
        if num_whole > max_windows:
            chosen = np.sort(generator.choice(num_whole, max_windows, replace=False))
        for number in chosen.tolist():
            start = max(1, first + number * max_length)
            yield Window(row=row, start=start - 1, stop=min(length, first + (number + 1) * max_length))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingExample:
    """One window of one user, with the user's other training events.

    Attributes:
        block: Training events of a block of users.
        negative_events: Negative events (skip, dislike, hide) of the same users; None without explicit negatives.
        window: Which events of which row.
    """

    block: Sequences
    negative_events: NegativeEvents | None
    window: Window

    @property
    def positives(self) -> NDArray[np.int32]:
        """All training positives of the user, in time order."""
        offsets, row = self.block.offsets, self.window.row
        return self.block.items[offsets[row] : offsets[row + 1]]

    @property
    def events(self) -> slice:
        """Places of the window's events in the block."""
        begin = self.block.offsets[self.window.row]
        return slice(begin + self.window.start, begin + self.window.stop)

    @property
    def times(self) -> NDArray[np.int64]:
        """Times of the window's events, in milliseconds."""
        return self.block.times[self.events]

    @property
    def history(self) -> History:
        """The window without its last event, which is only a target."""
        events = slice(self.events.start, self.events.stop - 1)
        return History(
            items=self.block.items[events], kinds=self.block.kinds[events], times=self.block.times[events]
        )

    def masked_positives(self, masking: PositiveMasking) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Positives of the user that are masked as negatives, and the first position of the window where each is."""
        if masking == "none":
            return self.positives[:0], np.zeros(0, np.int32)
        indices = np.arange(len(self.positives), dtype=np.int32)
        positions = indices - self.window.start if masking == "seen" else np.zeros_like(indices)
        return self.positives, np.maximum(positions, 0).astype(np.int32)

    def negative_feedback(self, candidates: NDArray[np.int32]) -> NegativeFeedback:
        """The user's negative events on candidates; items that are also a positive, earlier or later, are left out."""
        assert self.negative_events is not None
        offsets, row = self.negative_events.offsets, self.window.row
        of_user = slice(offsets[row], offsets[row + 1])
        items = self.negative_events.items[of_user]
        keep = np.isin(items, candidates) & ~np.isin(items, self.positives)
        return NegativeFeedback(
            items=items[keep],
            times=self.negative_events.times[of_user][keep],
            strengths=self.negative_events.strengths[of_user][keep],
        )


def collate(
    examples: Sequence[TrainingExample],
    sampled: NDArray[np.int64],
    per_sequence: PerSequenceNegatives,
    *,
    num_items: int,
    in_batch: bool,
    masking: PositiveMasking,
    list_masked: bool,
) -> Batch:
    """Index tensors of some windows and their negatives.

    Args:
        examples: The windows.
        sampled: Items sampled as negatives of every sequence.
        per_sequence: Negatives of single sequences.
        num_items: Items of the catalogue.
        in_batch: Whether the windows' items are negatives of every sequence too.
        masking: Which positives of a user are masked as negatives.
        list_masked: Whether the masked positives are also listed, to mask negatives of other batches.
    """
    items_BL1, kinds_BL, times_BL1 = _padded(examples)
    in_windows = items_BL1[items_BL1 >= 0]
    shared = np.union1d(in_windows, sampled) if in_batch else sampled
    used = per_sequence.items_BK[per_sequence.weights_BK > 0]
    distinct_N = np.union1d(np.union1d(in_windows, sampled), used).astype(np.int64)
    buckets_BL1 = time_buckets(torch.from_numpy(times_BL1))
    slot_of_item = np.full(num_items + 1, -1, np.int64)  # the last place is for padding (-1)
    slot_of_item[distinct_N] = np.arange(len(distinct_N))
    is_shared = np.zeros(num_items, bool)
    is_shared[shared] = True
    slots_BL1 = slot_of_item[items_BL1]
    rows_E, items_E, positions_E = _masked(examples, masking)
    in_batch_E = slot_of_item[items_E] >= 0
    masked_from_BN = np.full((len(examples), len(distinct_N)), NEVER, np.int32)
    masked_from_BN[rows_E[in_batch_E], slot_of_item[items_E[in_batch_E]]] = positions_E[in_batch_E]
    listed = slice(None) if list_masked else slice(0)
    return Batch(
        item_index_N=torch.from_numpy(distinct_N),
        pictures_N=torch.zeros(len(distinct_N), dtype=torch.int64),
        slots_BL=torch.from_numpy(slots_BL1[:, :-1].clip(min=0)),
        kinds_BL=torch.from_numpy(kinds_BL),
        time_since_previous_BL=buckets_BL1[:, :-1].contiguous(),
        time_to_next_BL=buckets_BL1[:, 1:].contiguous(),
        targets_BL=torch.from_numpy(slots_BL1[:, 1:].copy()),
        masked_from_BN=torch.from_numpy(masked_from_BN),
        shared_N=torch.from_numpy(is_shared[distinct_N]),
        per_sequence_slots_BK=torch.from_numpy(slot_of_item[per_sequence.items_BK].clip(min=0)),
        per_sequence_from_BK=torch.from_numpy(per_sequence.from_BK),
        per_sequence_weights_BK=torch.from_numpy(per_sequence.weights_BK),
        masked_rows_E=torch.from_numpy(rows_E[listed]),
        masked_items_E=torch.from_numpy(items_E[listed]),
        masked_positions_E=torch.from_numpy(positions_E[listed]),
    )


def _padded(
    examples: Sequence[TrainingExample],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Items [B, L + 1], padded with -1; kinds of all but the last [B, L]; times [B, L + 1]."""
    width = max(len(e.window) for e in examples) - 1
    items_BL1 = np.full((len(examples), width + 1), -1, np.int64)
    kinds_BL = np.zeros((len(examples), width), np.int64)
    times_BL1 = np.zeros((len(examples), width + 1), np.int64)
    for row, example in enumerate(examples):
        length = len(example.window)
        items_BL1[row, :length] = example.block.items[example.events]
        kinds_BL[row, : length - 1] = example.block.kinds[example.events][:-1]
        times_BL1[row, :length] = example.times
    return items_BL1, kinds_BL, times_BL1


def _masked(
    examples: Sequence[TrainingExample], masking: PositiveMasking
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """(row, item, first position) of each masked positive of each user [E]."""
    items, positions = zip(*(example.masked_positives(masking) for example in examples), strict=True)
    rows_E = np.repeat(np.arange(len(examples)), [len(row) for row in items])
    return rows_E, np.concatenate(items).astype(np.int64), np.concatenate(positions)
