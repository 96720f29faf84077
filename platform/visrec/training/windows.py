"""Cutting sequences into windows: every event but the first is the target of one window of an epoch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences


@dataclass(frozen=True)
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
            yield Window(row, start - 1, min(length, first + (number + 1) * max_length))
