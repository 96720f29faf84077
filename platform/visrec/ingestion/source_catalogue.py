"""Catalogue as it was read: each item once, with its attributes and the places of its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.ingestion.attributes import UnreadableValues
from visrec.ingestion.folder_pictures import FolderPictures
from visrec.ingestion.further_pictures import join_further_pictures
from visrec.ingestion.ids import natural_order
from visrec.ingestion.picture_sources import PictureSource
from visrec.ingestion.quarantine import Reason, Reject
from visrec.ingestion.values import not_utf8_note

_MANY_REPEATED = 0.5
"""Share of rows that repeat an item from which on the catalogue may be in long form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceCatalogue:
    """All items that have an id, in the natural order of their ids.

    Attributes:
        items: item_id and the attributes (`ATTRIBUTES_SCHEMA`), one row an item.
        sources: Location of the picture of each row of the image store, in the order in which the input lists the
            items and the pictures of each.
        row_item: Item of each row of the image store, int32 [R].
        rejects: Rejected rows of the items file, and items without a picture.
        unreadable_values: Attribute values that could not be read and are null.
        num_left_out: Pictures beyond `max_per_item`, which are not read.
        reading: Sentence on what the sub-folders of the pictures were taken for; "" where there are none.
        notes: One line each about rows that may be meant otherwise than they were read.
    """

    items: pa.Table
    sources: list[PictureSource]
    row_item: NDArray[np.int32]
    rejects: list[Reject]
    unreadable_values: UnreadableValues
    num_left_out: int
    notes: tuple[str, ...]
    reading: str = ""

    def __len__(self) -> int:
        return int(self.items.num_rows)

    @property
    def item_ids(self) -> Any:
        """Ids as a pyarrow string array."""
        return self.items.column("item_id").combine_chunks()


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedItems:
    """Items in the order of the input; ids can repeat.

    Attributes:
        items: item_id and the attributes (`ATTRIBUTES_SCHEMA`), one row each.
        locations: `file:line` of each row.
        pictures: Of each row.
        rejects: Rows that are no items.
        unreadable_values: Attribute values that are null since they could not be read.
        by_name: How the pictures were found by their names; None where a column names them.
        num_pictures_without_item: Rows with a picture but without an id.
    """

    items: pa.Table
    locations: list[str]
    pictures: list[Sequence[PictureSource]]
    rejects: list[Reject]
    unreadable_values: UnreadableValues
    by_name: FolderPictures | None = None
    num_pictures_without_item: int = 0


def unique_items(parsed: ParsedItems, max_pictures: int) -> SourceCatalogue:
    """Each id once (its first row), in natural order; image rows in the order of the input."""
    codes = np.asarray(parsed.items.column("item_id").combine_chunks().dictionary_encode().indices)
    _, firsts, places = np.unique(codes, return_index=True, return_inverse=True)
    all_pictures, joined = join_further_pictures(parsed.items, parsed.pictures, firsts[places])
    firsts = np.sort(firsts)
    ids = parsed.items.column("item_id").to_pylist()
    rejects = list(parsed.rejects)
    notes = parsed.by_name.notes if parsed.by_name else {}
    for row in np.setdiff1d(np.flatnonzero(~joined), firsts):
        rejects.append(
            Reject(
                source="items", location=parsed.locations[row], reason=Reason.DUPLICATE_ITEM, detail=ids[row]
            )
        )
    items = parsed.items.take(pa.array(firsts))
    order = natural_order(items.column("item_id").combine_chunks())
    item_of = np.empty(len(order), np.int32)  # by place among `firsts`
    item_of[order] = np.arange(len(order))

    sources: list[PictureSource] = []
    row_item: list[int] = []
    num_left_out = 0
    for k, row in enumerate(firsts):
        pictures = all_pictures[row][:max_pictures]
        if not pictures:
            rejects.append(
                Reject(
                    source="images",
                    location=ids[row],
                    reason=Reason.NO_IMAGE,
                    detail=f"no picture of item {ids[row]}{notes.get(ids[row], '')}",
                )
            )
        sources += pictures
        row_item += [item_of[k]] * len(pictures)
        num_left_out += len(all_pictures[row]) - len(pictures)
    return SourceCatalogue(
        items=items.take(pa.array(order)),
        sources=sources,
        row_item=np.array(row_item, np.int32),
        rejects=rejects,
        unreadable_values=parsed.unreadable_values,
        num_left_out=num_left_out,
        reading=parsed.by_name.reading if parsed.by_name else "",
        notes=_notes(parsed, num_repeated=len(codes) - len(firsts) - int(joined.sum())),
    )


def _notes(parsed: ParsedItems, *, num_repeated: int) -> tuple[str, ...]:
    notes = []
    if num_repeated and num_repeated >= _MANY_REPEATED * len(parsed.locations):
        notes.append(
            f"{num_repeated:,} of {len(parsed.locations):,} rows of the catalogue repeat an item and are left out, "
            f"such as {parsed.locations[-1]}; if each row holds one property of an item, set ingest.items.properties"
        )
    if parsed.unreadable_values.total:
        values = str(parsed.unreadable_values)
        encoding = not_utf8_note("ingest.items") if r"\\x" in values else ""
        notes.append(f"item attributes that could not be read and are left out: {values}{encoding}")
    if parsed.num_pictures_without_item:
        notes.append(
            f"{parsed.num_pictures_without_item:,} rows of the catalogue have a picture but no item id and are left "
            "out; if they hold further pictures of an item, map ingest.items.columns.item_id to a column that these "
            "rows have too"
        )
    return tuple(notes)
