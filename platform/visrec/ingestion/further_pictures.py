"""Rows of a catalogue that only carry further pictures of an item, as shops export them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.ingestion.picture_sources import FilePicture, PictureSource


def join_further_pictures(
    items: pa.Table, pictures: Sequence[Sequence[PictureSource]], first_row: NDArray[np.int64]
) -> tuple[list[list[PictureSource]], NDArray[np.bool_]]:
    """Add to each item the pictures of the rows that repeat its id and say nothing else about it.

    Such a row names a picture that the item does not have yet, and each attribute is missing or that of the item's
    first row.

    Args:
        items: item_id and attributes of each row (`ATTRIBUTES_SCHEMA`), [N].
        pictures: Of each row.
        first_row: First row of each row's id, [N].

    Returns:
        The pictures of each row, those of the joined rows at the first row of their item; and whether each row was
        joined, bool [N].
    """
    together = [list(of_row) for of_row in pictures]
    joined = np.zeros(items.num_rows, bool)
    repeated = np.flatnonzero(
        (first_row != np.arange(items.num_rows)) & np.array([bool(p) for p in pictures])
    )
    if not len(repeated):
        return together, joined
    attributes = items.drop_columns(["item_id"])
    further = attributes.take(pa.array(repeated)).to_pylist()
    firsts = attributes.take(pa.array(first_row[repeated])).to_pylist()
    for row, values, of_first in zip(repeated.tolist(), further, firsts, strict=True):
        first = int(first_row[row])
        # Bytes are not compared: a row that repeats them is a repetition of the item.
        files = [picture for picture in pictures[row] if isinstance(picture, FilePicture)]
        new = [picture for picture in files if picture not in together[first]]
        if new and all(_adds_nothing(name, value, of_first[name]) for name, value in values.items()):
            together[first] += new
            joined[row] = True
    return together, joined


def _adds_nothing(name: str, value: object, of_first: object) -> bool:
    return value is None or value == [] or value == of_first or (name == "available" and value is True)
