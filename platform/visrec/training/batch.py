"""The index tensors of one step, put together from windows of users.

Shape legend: B sequences, L positions, N distinct items, K own negatives of a sequence, E positives of all users.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from visrec.data.interactions import NegativeEvents
from visrec.data.snapshot import Sequences
from visrec.models import History, gap_buckets
from visrec.training.negatives.per_sequence import PerSequenceNegatives, Rejected


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Events `start` to `stop` (exclusive) of one user's row: the first is only history, the last only a target."""

    row: int
    start: int
    stop: int


def num_windows(lengths: NDArray[np.int64], max_length: int, max_windows: int) -> NDArray[np.int64]:
    """Windows that sequences of so many events give in an epoch.

    Example:
        >>> num_windows(np.array([0, 1, 2, 11, 12, 1000]), 10, 3).tolist()
        [0, 0, 1, 1, 2, 3]
    """
    return np.asarray(np.minimum(-(-np.maximum(lengths - 1, 0) // max_length), max_windows))


def cut_windows(
    sequences: Sequences, max_length: int, max_windows: int, generator: np.random.Generator
) -> Iterator[Window]:
    """Windows of every row with at least two events, at random offsets; each has at most `max_length` targets."""
    lengths = np.diff(sequences.offsets)
    uncapped = num_windows(lengths, max_length, int(lengths.max(initial=0)))
    for row, (length, whole) in enumerate(zip(lengths.tolist(), uncapped.tolist(), strict=True)):
        if whole == 0:
            continue
        first = 1 - int(generator.integers(whole * max_length - (length - 1) + 1))
        chosen: NDArray[np.int64] = np.arange(whole)
        if whole > max_windows:
            chosen = np.sort(generator.choice(whole, max_windows, replace=False))
        for number in chosen.tolist():
            start = max(1, first + number * max_length)
            yield Window(row=row, start=start - 1, stop=min(length, first + (number + 1) * max_length))


NEVER = 2**31 - 1
"""No position."""
PositiveMasking = Literal["all", "seen", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Index tensors of one step; pixels are looked up by `item_index_N`.

    Attributes:
        item_index_N: Distinct items: those of the windows, and all negatives; sorted.
        pictures_N: Which of its pictures each distinct item is seen by: 0 for the main one, and so on.
        slots_BL: Place of each history event's item among the distinct ones; 0 where padded.
        kinds_BL: Codes of the history events' kinds.
        time_since_previous_BL: Time-gap buckets of the history events.
        time_to_next_BL: Buckets of the time from each history event to the next event.
        targets_BL: Place of the next event's item; -1 where padded.
        masked_from_BN: First position at which a distinct item is no negative of the sequence, since the user has taken
            it; `NEVER` where there is none. int32.
        shared_N: True where a distinct item is a negative of every sequence that does not spare it.
        per_sequence_slots_BK: Places of negatives that belong to one sequence; 0 where it has fewer.
        per_sequence_from_BK: First position at which each of these is a negative.
        per_sequence_weights_BK: How many times each counts; 0 where there is none.
        spared_rows_E: For each spared positive of each user the row of the user; empty if nobody needs it.
        spared_items_E: Its item index.
        spared_positions_E: The first position at which it is spared.
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
    spared_rows_E: Tensor
    spared_items_E: Tensor
    spared_positions_E: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingExample:
    """A window of one user, and what is known of the user.

    Attributes:
        block: Training events of the user and others.
        rejections: Negative events of the same users; None where nobody needs them.
        window: Which events of which row.
    """

    block: Sequences
    rejections: NegativeEvents | None
    window: Window

    @property
    def positives(self) -> NDArray[np.int32]:
        """All training positives of the user."""
        offsets, row = self.block.offsets, self.window.row
        return self.block.items[offsets[row] : offsets[row + 1]]

    @property
    def events(self) -> slice:
        """Places of the window's events in the block."""
        begin = self.block.offsets[self.window.row]
        return slice(begin + self.window.start, begin + self.window.stop)

    @property
    def times(self) -> NDArray[np.int64]:
        """Times of the window's events."""
        return self.block.times[self.events]

    @property
    def history(self) -> History:
        """The window without its last event, which is only a target."""
        events = slice(self.events.start, self.events.stop - 1)
        return History(
            items=self.block.items[events], kinds=self.block.kinds[events], times=self.block.times[events]
        )

    def spared(self, which: PositiveMasking) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Positives that are no negatives of the user, and the first position of the window at which each is not."""
        if which == "none":
            return self.positives[:0], np.zeros(0, np.int32)
        places = np.arange(len(self.positives), dtype=np.int32)
        positions = places - self.window.start if which == "seen" else np.zeros_like(places)
        return self.positives, np.maximum(positions, 0).astype(np.int32)

    def rejected(self, candidates: NDArray[np.int32]) -> Rejected:
        """What the user said no to, among the candidates, and never yes: a later yes takes a no back."""
        assert self.rejections is not None
        offsets, row = self.rejections.offsets, self.window.row
        mine = slice(offsets[row], offsets[row + 1])
        items = self.rejections.items[mine]
        keep = np.isin(items, candidates) & ~np.isin(items, self.positives)
        return Rejected(
            items=items[keep],
            times=self.rejections.times[mine][keep],
            strengths=self.rejections.strengths[mine][keep],
        )


def collate(
    pieces: Sequence[TrainingExample],
    drawn: NDArray[np.int64],
    own: PerSequenceNegatives,
    *,
    num_items: int,
    in_batch: bool,
    spare: PositiveMasking,
    list_spared: bool,
) -> Batch:
    """Put windows and negatives together.

    Args:
        pieces: The windows.
        drawn: Items drawn as negatives of every sequence.
        own: Negatives of single sequences.
        num_items: Items of the catalogue.
        in_batch: Whether the windows' items are negatives of every sequence too.
        spare: Which positives of a user are no negatives.
        list_spared: Whether to list them too, for items of other batches.
    """
    items_BL1, kinds_BL, times_BL1 = _padded(pieces)
    in_windows = items_BL1[items_BL1 >= 0]
    shared = np.union1d(in_windows, drawn) if in_batch else drawn
    distinct_N = np.union1d(np.union1d(in_windows, drawn), own.items_BK[own.weights_BK > 0]).astype(np.int64)
    gaps_BL1 = gap_buckets(torch.from_numpy(times_BL1))
    slot_of_item = np.full(num_items + 1, -1, np.int64)  # the last place is for padding (-1)
    slot_of_item[distinct_N] = np.arange(len(distinct_N))
    is_shared = np.zeros(num_items, bool)
    is_shared[shared] = True
    slots_BL1 = slot_of_item[items_BL1]
    rows_E, items_E, positions_E = _spared(pieces, spare)
    here_E = slot_of_item[items_E] >= 0
    masked_from_BN = np.full((len(pieces), len(distinct_N)), NEVER, np.int32)
    masked_from_BN[rows_E[here_E], slot_of_item[items_E[here_E]]] = positions_E[here_E]
    listed = slice(None) if list_spared else slice(0)
    return Batch(
        item_index_N=torch.from_numpy(distinct_N),
        pictures_N=torch.zeros(len(distinct_N), dtype=torch.int64),
        slots_BL=torch.from_numpy(slots_BL1[:, :-1].clip(min=0)),
        kinds_BL=torch.from_numpy(kinds_BL),
        time_since_previous_BL=gaps_BL1[:, :-1].contiguous(),
        time_to_next_BL=gaps_BL1[:, 1:].contiguous(),
        targets_BL=torch.from_numpy(slots_BL1[:, 1:].copy()),
        masked_from_BN=torch.from_numpy(masked_from_BN),
        shared_N=torch.from_numpy(is_shared[distinct_N]),
        per_sequence_slots_BK=torch.from_numpy(slot_of_item[own.items_BK].clip(min=0)),
        per_sequence_from_BK=torch.from_numpy(own.from_BK),
        per_sequence_weights_BK=torch.from_numpy(own.weights_BK),
        spared_rows_E=torch.from_numpy(rows_E[listed]),
        spared_items_E=torch.from_numpy(items_E[listed]),
        spared_positions_E=torch.from_numpy(positions_E[listed]),
    )


def _padded(
    pieces: Sequence[TrainingExample],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Items [B, L + 1], padded with -1; kinds of all but the last [B, L]; times [B, L + 1]."""
    width = max(p.window.stop - p.window.start for p in pieces) - 1
    items_BL1 = np.full((len(pieces), width + 1), -1, np.int64)
    kinds_BL = np.zeros((len(pieces), width), np.int64)
    times_BL1 = np.zeros((len(pieces), width + 1), np.int64)
    for row, piece in enumerate(pieces):
        length = piece.window.stop - piece.window.start
        items_BL1[row, :length] = piece.block.items[piece.events]
        kinds_BL[row, : length - 1] = piece.block.kinds[piece.events][:-1]
        times_BL1[row, :length] = piece.times
    return items_BL1, kinds_BL, times_BL1


def _spared(
    pieces: Sequence[TrainingExample], which: PositiveMasking
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """(row, item, first position) of each spared positive of each user [E]."""
    items, positions = zip(*(piece.spared(which) for piece in pieces), strict=True)
    rows_E = np.repeat(np.arange(len(pieces)), [len(row) for row in items])
    return rows_E, np.concatenate(items).astype(np.int64), np.concatenate(positions)
