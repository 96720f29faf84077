"""Source catalogue: ids and attributes of all items, and where their pictures are; small enough for the driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import fs as pafs

from visrec.config.ingest import IngestConfig
from visrec.data.schemas import MAX_ID_BYTES
from visrec.errors import DataError
from visrec.ingestion.attributes import UnreadableValues, parse_attributes
from visrec.ingestion.chunks import Chunk, check_columns, mapped_columns, split_into_chunks
from visrec.ingestion.column_types import ColumnNames, check_types
from visrec.ingestion.files import InputFile
from visrec.ingestion.formats import RawRows, read_rows
from visrec.ingestion.id_text import digits_lost_note, id_texts
from visrec.ingestion.ids import natural_order, too_long
from visrec.ingestion.item_pictures import (
    is_bytes_column,
    pictures_at_paths,
    pictures_by_item,
    pictures_in_cells,
)
from visrec.ingestion.picture_sources import PictureSource
from visrec.ingestion.quarantine import Reason, Reject
from visrec.storage import Location

_WHOLE_FILE = 1 << 62


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
        notes: One line each about rows that may be meant otherwise than they were read.
    """

    items: pa.Table
    sources: list[PictureSource]
    row_item: NDArray[np.int32]
    rejects: list[Reject]
    unreadable_values: UnreadableValues
    num_left_out: int
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.items.num_rows)

    @property
    def item_ids(self) -> Any:
        """Ids as a pyarrow string array."""
        return self.items.column("item_id").combine_chunks()


@dataclass(frozen=True, kw_only=True, slots=True)
class _ParsedItems:
    """Items in the order of the input; ids can repeat."""

    items: pa.Table
    locations: list[str]
    pictures: list[Sequence[PictureSource]]
    rejects: list[Reject]
    unreadable_values: UnreadableValues


def read_catalogue(
    config: IngestConfig, files: Sequence[InputFile], pictures: Sequence[pafs.FileInfo]
) -> SourceCatalogue:
    """Read the catalogue.

    Args:
        config: Where the items and the pictures are.
        files: Files of the items; empty where the pictures are the catalogue.
        pictures: Files of the picture folder; empty where there is none.

    Raises:
        DataError: A mapped column is missing, a file cannot be read, or there is no item at all.
    """
    folder = Location.parse(config.images.path) if config.images.path is not None else None
    by_name, rejects = pictures_by_item(folder, pictures) if folder else ({}, [])
    parsed = _from_files(config, files, folder, by_name) if files else _from_folder(by_name)
    if not parsed.items.num_rows:
        raise DataError(f"expected items in {config.items.path or config.images.path}, found none")
    return _unique_items(parsed, rejects if not files else [], config.images.max_per_item)


def _from_folder(by_name: Mapping[str, Sequence[PictureSource]]) -> _ParsedItems:
    attributes, _ = parse_attributes({}, len(by_name), separator="|")
    items = attributes.add_column(0, "item_id", pa.array(list(by_name), pa.string()))
    return _ParsedItems(
        items=items,
        locations=[str(p[0]) for p in by_name.values()],
        pictures=list(by_name.values()),
        rejects=[],
        unreadable_values=UnreadableValues(),
    )


def _from_files(
    config: IngestConfig,
    files: Sequence[InputFile],
    folder: Location | None,
    by_name: Mapping[str, Sequence[PictureSource]],
) -> _ParsedItems:
    columns = mapped_columns(config.items.columns)
    chunks = split_into_chunks(files, chunk_bytes=_WHOLE_FILE)
    check_columns(chunks, columns, setting="ingest.items.columns")
    parts = []
    for chunk in chunks:
        image = columns.get("image")
        as_bytes = image is not None and is_bytes_column(chunk, image)
        to_read = {role: name for role, name in columns.items() if not (as_bytes and role == "image")}
        names = ColumnNames(setting="ingest.items.columns", names=columns, file=str(chunk.file.location))
        for raw in read_rows(chunk, to_read, whole=True):
            check_types(raw.columns, names)
            sources: list[Sequence[PictureSource]]
            if image is None:
                sources = _pictures_of(raw, by_name)
            elif as_bytes:
                sources = pictures_in_cells(chunk, image)
            else:
                sources = pictures_at_paths(raw.columns["image"], folder, config.items.image_separator)
            parts.append(_parse(raw, chunk, sources, config.items.category_separator, names))
    unreadable = UnreadableValues()
    for part in parts:
        unreadable.include(part.unreadable_values)
    return _ParsedItems(
        items=pa.concat_tables([p.items for p in parts]) if parts else _from_folder({}).items,
        locations=[location for p in parts for location in p.locations],
        pictures=[picture for p in parts for picture in p.pictures],
        rejects=[reject for p in parts for reject in p.rejects],
        unreadable_values=unreadable,
    )


def _pictures_of(
    raw: RawRows, by_name: Mapping[str, Sequence[PictureSource]]
) -> list[Sequence[PictureSource]]:
    ids = id_texts(raw.columns["item_id"]).values
    return [by_name.get(item, []) for item in ids.to_pylist()]


def _parse(
    raw: RawRows, chunk: Chunk, sources: list[Sequence[PictureSource]], separator: str, names: ColumnNames
) -> _ParsedItems:
    name = str(chunk.file.location)
    ids = id_texts(raw.columns["item_id"])
    missing = np.asarray(pc.is_null(ids.values))
    attributes, unreadable = parse_attributes(raw.columns, len(missing), separator=separator, names=names)
    rejects = [
        Reject(source="items", location=f"{name}:{line}", reason=Reason.MALFORMED_ROW, detail=row[:120])
        for line, row in raw.malformed
    ]
    for row in np.flatnonzero(missing):
        reason, detail = Reason.NOT_UTF8 if ids.undecodable[row] else Reason.MISSING_ITEM, ""
        if ids.digits_lost[row]:
            column = raw.columns["item_id"]
            reason, detail = Reason.ID_DIGITS_LOST, f"{column[int(row)]}{digits_lost_note('item_id', column)}"
        rejects.append(
            Reject(source="items", location=f"{name}:{raw.lines[row]}", reason=reason, detail=detail)
        )
    long = too_long(ids.values)
    for row in np.flatnonzero(long):
        detail = f"{ids.values[int(row)].as_py()[:40]}..., expected at most {MAX_ID_BYTES:,} bytes"
        location = f"{name}:{raw.lines[row]}"
        rejects.append(
            Reject(source="items", location=location, reason=Reason.ITEM_ID_TOO_LONG, detail=detail)
        )
    kept = np.flatnonzero(~missing & ~long)
    return _ParsedItems(
        items=attributes.add_column(0, "item_id", ids.values).take(pa.array(kept)),
        locations=[f"{name}:{line}" for line in raw.lines[kept]],
        pictures=[sources[row] for row in kept],
        rejects=rejects,
        unreadable_values=unreadable,
    )


def _unique_items(parsed: _ParsedItems, rejects: list[Reject], max_pictures: int) -> SourceCatalogue:
    """Each id once (its first row), in natural order; image rows in the order of the input."""
    codes = np.asarray(parsed.items.column("item_id").combine_chunks().dictionary_encode().indices)
    _, firsts = np.unique(codes, return_index=True)
    firsts = np.sort(firsts)
    ids = parsed.items.column("item_id").to_pylist()
    rejects = [*parsed.rejects, *rejects]
    for row in np.setdiff1d(np.arange(len(codes)), firsts):
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
        pictures = parsed.pictures[row][:max_pictures]
        if not pictures:
            rejects.append(
                Reject(
                    source="images",
                    location=ids[row],
                    reason=Reason.NO_IMAGE,
                    detail=f"no picture of item {ids[row]}",
                )
            )
        sources += pictures
        row_item += [item_of[k]] * len(pictures)
        num_left_out += len(parsed.pictures[row]) - len(pictures)
    return SourceCatalogue(
        items=items.take(pa.array(order)),
        sources=sources,
        row_item=np.array(row_item, np.int32),
        rejects=rejects,
        unreadable_values=parsed.unreadable_values,
        num_left_out=num_left_out,
        notes=_notes(parsed),
    )


def _notes(parsed: _ParsedItems) -> tuple[str, ...]:
    unreadable = parsed.unreadable_values
    return (
        (f"item attributes that could not be read and are left out: {unreadable}",)
        if unreadable.total
        else ()
    )
