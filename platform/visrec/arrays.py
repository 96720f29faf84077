"""Rows of different lengths in one array: categories of items, neighbours of items, pictures of items."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Ragged:
    """Row k is `values[offsets[k]:offsets[k + 1]]`.

    Example:
        >>> Ragged(np.array([0, 2, 3]), np.array([5, 6, 7])).gather(np.array([1, 0]))
        (array([0, 1, 1]), array([2, 0, 1]))
    """

    offsets: NDArray[np.int64]
    values: NDArray[Any]

    def gather(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All entries of some rows, one after the other: which of `rows` each belongs to, and its place in `values`."""
        starts, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        owner = np.repeat(np.arange(len(rows)), lengths)
        first = np.cumsum(lengths) - lengths
        return owner, np.arange(len(owner)) + np.repeat(starts - first, lengths)
