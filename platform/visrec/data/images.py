"""Decoded pictures of a snapshot: which rows an item has, and the stores that hold the rows.

Pictures are decoded once, to uint8 pixels of one size, in memory-mapped parts (see `visrec.data.parts`) of the folder
`images/`. A picture that could not be decoded leaves a black row that no item has. `thumbnails/` holds JPEG files of
the same rows, to be shown to people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.arrays import Ragged
from visrec.data.parts import ROWS_PER_PART, PartedRows, map_arrow_part, write_arrow_part
from visrec.storage import Artifact, Location

NO_PICTURE = -1
"""Row of an item without a picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFacts:
    """Size and normalisation of stored pictures; travels with a model, which is trained on them.

    Attributes:
        height: Pixels.
        width: Pixels.
        mean: Of each RGB channel, on the scale from 0 to 1.
        std: Of each RGB channel, on the scale from 0 to 1.
    """

    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ImageFacts":
        """From the `images` facts of a manifest."""
        return cls(
            height=int(values["height"]),
            width=int(values["width"]),
            mean=tuple(values["mean"]),
            std=tuple(values["std"]),
        )


@dataclass(frozen=True, kw_only=True)
class PictureRows:
    """The pictures of each item.

    Attributes:
        main_I: Row of the main picture, the one that is shown; -1 for an item without any: int32 [I].
        more: Rows of the further pictures of each item, int32.

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
        return cls(
            main_I=main_I,
            more=Ragged(offsets=np.zeros(len(main_I) + 1, np.int64), values=np.zeros(0, np.int32)),
        )

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
        return cls(
            main_I=main_I,
            more=Ragged(offsets=np.r_[0, np.cumsum(lengths)], values=rows[~first].astype(np.int32)),
        )

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
        """Pictures of each item, int64; also 1 for an item without any, whose row is -1 (a black picture)."""
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


class ImageStore:
    """Random access to decoded pictures. Holds no picture in memory: the operating system pages them in.

    Example:
        >>> store = ImageStore(snapshot.artifact, num_images=600)       # doctest: +SKIP
        >>> store.read(np.array([5, 3])).shape                          # doctest: +SKIP
        (2, 64, 64, 3)
    """

    def __init__(self, artifact: Artifact, *, num_images: int, folder: str = "images") -> None:
        self._artifact = artifact
        self._folder = folder
        self._rows = PartedRows(self._open_part, num_rows=num_images, name="image rows")

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, rows_N: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        """Copies of the pictures of some rows, in their order: uint8 [N, H, W, 3].

        Raises:
            IndexError: A row is below 0 or beyond the end.
        """
        if not len(self) and not len(rows_N):  # there is no part to take the size from
            return np.empty((0, 1, 1, 3), np.uint8)
        return self._rows.read(rows_N)

    def _open_part(self, part: int) -> NDArray[np.uint8]:
        batch = map_arrow_part(self._artifact, self._folder, part)
        height, width = (int(batch.schema.metadata[name]) for name in (b"height", b"width"))
        pixels = np.frombuffer(batch.column(0).buffers()[1], np.uint8)
        return pixels.reshape(batch.num_rows, height, width, 3)


class ThumbnailStore:
    """Random access to the JPEG files of an artifact."""

    def __init__(self, artifact: Artifact, *, folder: str = "thumbnails") -> None:
        self._artifact = artifact
        self._folder = folder
        self._parts: dict[int, Any] = {}

    def read(self, row: int) -> bytes:
        """The JPEG file of one row."""
        part, place = divmod(row, ROWS_PER_PART)
        if part not in self._parts:
            self._parts[part] = map_arrow_part(self._artifact, self._folder, part).column(0)
        return bytes(self._parts[part][place].as_py())


def write_images(folder: Location, part: int, images_NHWC: NDArray[np.uint8]) -> None:
    """Write one part of at most `ROWS_PER_PART` pictures."""
    num, height, width, channels = images_NHWC.shape
    assert num <= ROWS_PER_PART and channels == 3, images_NHWC.shape
    kind = pa.binary(height * width * channels)
    pixels = pa.py_buffer(np.ascontiguousarray(images_NHWC))
    column = pa.FixedSizeBinaryArray.from_buffers(kind, num, [None, pixels])
    schema = pa.schema([("image", kind)], {"height": str(height), "width": str(width)})
    write_arrow_part(folder, part, pa.record_batch([column], schema=schema))


def write_thumbnails(folder: Location, part: int, jpegs: Sequence[bytes]) -> None:
    """Write one part of at most `ROWS_PER_PART` JPEG files."""
    assert len(jpegs) <= ROWS_PER_PART, len(jpegs)
    write_arrow_part(folder, part, pa.record_batch({"jpeg": pa.array(jpegs, pa.binary())}))
