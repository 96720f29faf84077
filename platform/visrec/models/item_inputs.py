"""What the item tower reads of an item: its picture, or kept activations of frozen blocks.

Shape legend: N items, H x W pixels, I items of the catalogue.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.data.image_store import ImageFacts, ImageStore


class ItemInputs(Protocol):
    """Inputs by item index."""

    @property
    def start(self) -> int:
        """First block of the backbone that is still to run; 0 for pixels."""
        ...

    def read(self, item_index: NDArray[Any]) -> NDArray[Any]:
        """Inputs of some items, in their order: uint8 pictures [N, H, W, 3], or float32 activations [N, ...]."""
        ...


@dataclass(frozen=True)
class Pictures:
    """The pictures themselves. An item without one (row -1) has a black one; ingest leaves none in a catalogue.

    Attributes:
        images: Where they are.
        image_rows: Row of each item, int32 [I].
        facts: Their size.
    """

    images: ImageStore
    image_rows: NDArray[np.int32]
    facts: ImageFacts
    start: int = 0

    def read(self, item_index: NDArray[Any]) -> NDArray[np.uint8]:
        """See `ItemInputs.read`."""
        rows = self.image_rows[item_index]
        if rows.size and rows.min() >= 0:
            return self.images.read(rows)
        pictures = np.zeros((len(rows), self.facts.height, self.facts.width, 3), np.uint8)
        pictures[rows >= 0] = self.images.read(rows[rows >= 0])
        return pictures
