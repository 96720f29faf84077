"""Inputs of the item tower: pictures, or cached activations of frozen blocks.

Shape legend: N items, P pictures, H x W pixels, X size of a value that is computed from a picture.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.data.images import ImageFacts, ImageStore, PictureRows
from visrec.data.snapshot import Snapshot


class ItemInputs(Protocol):
    """Inputs of the item tower by row of the image store."""

    @property
    def start(self) -> int:
        """First block of the backbone that is still to run; 0 for pictures."""
        ...

    @property
    def rows(self) -> PictureRows:
        """Rows of each item in the image store."""
        ...

    def read(self, rows_P: NDArray[np.int32]) -> NDArray[Any]:
        """Inputs of some rows, in their order: uint8 pictures [P, H, W, 3], or float32 activations [P, ...]."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Pictures:
    """Pictures as inputs. An item without one (row -1) reads as black; ingest keeps no such item.

    Attributes:
        images: The image store.
        rows: Rows of each item.
        facts: Size of the pictures.
        start: 0: the whole backbone is to run.
    """

    images: ImageStore
    rows: PictureRows
    facts: ImageFacts
    start: int = 0

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Pictures":
        """All pictures of a snapshot."""
        return cls(images=snapshot.images, rows=snapshot.picture_rows, facts=snapshot.image_facts)

    def read(self, rows_P: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Pictures of some rows, in their order: uint8 [P, H, W, 3]."""
        if rows_P.size and rows_P.min() >= 0:
            return self.images.read(rows_P)
        pictures = np.zeros((len(rows_P), self.facts.height, self.facts.width, 3), np.uint8)
        pictures[rows_P >= 0] = self.images.read(rows_P[rows_P >= 0])
        return pictures


def mean_over_pictures(
    rows: PictureRows,
    item_index_N: NDArray[Any],
    encode: Callable[[NDArray[np.int32], NDArray[np.int64]], NDArray[np.float32]],
    *,
    batch_size: int,
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Mean over the pictures of each item, in batches.

    Args:
        rows: Rows of each item.
        item_index_N: The items.
        encode: Maps rows of the image store [P] and the item index of each [P] to values [P, X].
        batch_size: Most pictures of a batch; more where a single item has more.

    Yields:
        A slice of the items, and their mean values [length of the slice, X].
    """
    counts_N = rows.counts_I[item_index_N]
    for part in _batches(counts_N, batch_size):
        index = np.asarray(item_index_N[part], np.int64)
        owner_P, rows_P = rows.gather(index)
        values_PX = encode(rows_P, index[owner_P])
        if len(rows_P) == len(index):
            yield part, values_PX
        else:
            counts = counts_N[part]
            sums = np.add.reduceat(values_PX, np.cumsum(counts) - counts, axis=0)
            yield part, sums / counts[:, np.newaxis].astype(np.float32)


def _batches(counts_N: NDArray[np.int64], size: int) -> Iterator[slice]:
    """Split the items into runs with at most `size` pictures together, each as long as possible."""
    ends = np.cumsum(counts_N)
    start = num_before = 0
    while start < len(counts_N):
        stop = max(start + 1, int(np.searchsorted(ends, num_before + size, side="right")))
        yield slice(start, stop)
        start, num_before = stop, int(ends[stop - 1])
