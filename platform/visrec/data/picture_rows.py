"""Which rows of the image store show an item: one for most, several for some.

Shape legend: I items of the catalogue, R rows of the image store, N some items.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.data.ragged import Ragged

NO_PICTURE = -1


@dataclass(frozen=True)
class PictureRows:
    """The pictures of each item.

    Attributes:
        main_I: Row of the main picture, the one that people are shown; -1 for an item without any. int32.
        more: Rows of each item's further pictures, int32.

    Example: item 0 has rows 0 and 1, item 1 has row 2.
        >>> pictures = PictureRows.of_rows(np.array([0, 0, 1]), num_items=2)
        >>> pictures.main_I.tolist(), pictures.counts_I.tolist()
        ([0, 2], [2, 1])
        >>> pictures.gather(np.array([1, 0]))
        (array([0, 1, 1]), array([2, 0, 1], dtype=int32))
    """

    main_I: NDArray[np.int32]
    more: Ragged

    @classmethod
    def one_each(cls, main_I: NDArray[np.int32]) -> "PictureRows":
        """Items that have one picture each, or none."""
        return cls(main_I, Ragged(np.zeros(len(main_I) + 1, np.int64), np.zeros(0, np.int32)))

    @classmethod
    def of_rows(
        cls,
        item_of_row: NDArray[np.integer[Any]],
        *,
        num_items: int,
        usable_R: NDArray[np.bool_] | None = None,
    ) -> "PictureRows":
        """From the item that each row shows; an item's first usable row is its main picture.

        Args:
            item_of_row: Item index of each row [R].
            num_items: Items of the catalogue.
            usable_R: Which rows hold a picture; None for all.
        """
        rows = np.arange(len(item_of_row)) if usable_R is None else np.flatnonzero(usable_R)
        rows = rows[np.argsort(item_of_row[rows], kind="stable")]
        items = item_of_row[rows]
        first = np.r_[True, items[1:] != items[:-1]][: len(items)]
        main_I = np.full(num_items, NO_PICTURE, np.int32)
        main_I[items[first]] = rows[first]
        lengths = np.bincount(items[~first], minlength=num_items)
        return cls(main_I, Ragged(np.r_[0, np.cumsum(lengths)], rows[~first].astype(np.int32)))

    def __len__(self) -> int:
        return len(self.main_I)

    @property
    def one_at_most(self) -> bool:
        """Whether no item has a further picture."""
        return not len(self.more.values)

    @property
    def has_picture_I(self) -> NDArray[np.bool_]:
        """Whether each item has a picture."""
        return np.asarray(self.main_I != NO_PICTURE)

    @cached_property
    def counts_I(self) -> NDArray[np.int64]:
        """Pictures of each item, int64; 1 also for an item without any, whose row -1 stands for a black one."""
        return np.asarray(1 + np.diff(self.more.offsets))

    def pick(self, item_index_N: NDArray[Any], which_N: NDArray[Any]) -> NDArray[np.int32]:
        """One row of each of some items: int32 [N].

        Args:
            item_index_N: The items.
            which_N: 0 for the main picture, 1 for the first of the further ones, and so on.
        """
        rows_N = np.array(self.main_I[item_index_N])
        further = which_N > 0
        rows_N[further] = self.more.values[self.more.offsets[item_index_N[further]] + which_N[further] - 1]
        return rows_N

    def gather(self, item_index_N: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """All rows of some items, one item after the other, main pictures first: which of the items each row belongs
        to, and the rows."""
        counts_N = self.counts_I[item_index_N]
        owner = np.repeat(np.arange(len(item_index_N)), counts_N)
        rows = np.empty(len(owner), np.int32)
        is_main = np.zeros(len(owner), bool)
        is_main[np.cumsum(counts_N) - counts_N] = True
        rows[is_main] = self.main_I[item_index_N]
        rows[~is_main] = self.more.values[self.more.gather(item_index_N)[1]]
        return owner, rows
