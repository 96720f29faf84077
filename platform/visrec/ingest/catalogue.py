"""The catalogue's rows: ids, attributes and where each picture is. As large as the catalogue, so kept in the driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import fs as pafs

from visrec.config.ingest import IngestConfig
from visrec.errors import DataError
from visrec.ingest.attributes import parse_attributes
from visrec.ingest.chunks import Chunk, check_columns, split_into_chunks
from visrec.ingest.files import InputFile
from visrec.ingest.formats import RawRows, read
from visrec.ingest.ids import natural_order
from visrec.ingest.picture_places import cells, holds_bytes, paths, pictures_by_item
from visrec.ingest.pictures import PictureSource
from visrec.ingest.quarantine import Reason, Reject
from visrec.ingest.values import text
from visrec.storage import Location

_WHOLE_FILE = 1 << 62


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """All items that have an id, in the natural order of their ids.

    Attributes:
        items: item_id and the attributes, one row an item.
        sources: Where the picture of each row of the image store is: in the order in which the input lists the items
            and the pictures of each.
        row_item: Item of each row of the image store, int32 [R].
        rejects: Rows of the items file that were refused, and items without a picture.
        num_unreadable_values: Attributes that could not be read and are null.
        num_left_out: Pictures that are not read, since their items have enough others.
    """

    items: pa.Table
    sources: list[PictureSource]
    row_item: NDArray[np.int32]
    rejects: list[Reject]
    num_unreadable_values: int
    num_left_out: int

    def __len__(self) -> int:
        return int(self.items.num_rows)

    @property
    def item_ids(self) -> Any:
        """Ids as a pyarrow string array."""
        return self.items.column("item_id").combine_chunks()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listing:
    """Items in the order of the input, as read: nothing checked against each other."""

    items: pa.Table
    locations: list[str]
    pictures: list[Sequence[PictureSource]]
    rejects: list[Reject]
    num_unreadable_values: int


def read_catalogue(
    config: IngestConfig, files: Sequence[InputFile], pictures: Sequence[pafs.FileInfo]
) -> Catalogue:
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
    listing = _from_files(config, files, folder, by_name) if files else _from_folder(by_name)
    if not listing.items.num_rows:
        raise DataError(f"expected items in {config.items.path or config.images.path}, found none")
    return _catalogue(listing, rejects if not files else [], config.images.max_per_item)


def _from_folder(by_name: Mapping[str, Sequence[PictureSource]]) -> _Listing:
    attributes, _ = parse_attributes({}, len(by_name), separator="|")
    items = attributes.add_column(0, "item_id", pa.array(list(by_name), pa.string()))
    return _Listing(
        items=items,
        locations=[str(p[0]) for p in by_name.values()],
        pictures=list(by_name.values()),
        rejects=[],
        num_unreadable_values=0,
    )


def _from_files(
    config: IngestConfig,
    files: Sequence[InputFile],
    folder: Location | None,
    by_name: Mapping[str, Sequence[PictureSource]],
) -> _Listing:
    columns = {role: name for role, name in config.items.columns.model_dump().items() if name is not None}
    chunks = split_into_chunks(files, chunk_bytes=_WHOLE_FILE)
    check_columns(chunks, columns, setting="ingest.items.columns")
    parts = []
    for chunk in chunks:
        image = columns.get("image")
        as_bytes = image is not None and holds_bytes(chunk, image)
        wanted = {role: name for role, name in columns.items() if not (as_bytes and role == "image")}
        for raw in read(chunk, wanted, whole=True):
            sources: list[Sequence[PictureSource]]
            if image is None:
                sources = _by_name(raw, by_name)
            elif as_bytes:
                sources = cells(chunk, image)
            else:
                sources = paths(raw.columns["image"], folder, config.items.image_separator)
            parts.append(_listing(raw, chunk, sources, config.items.category_separator))
    return _Listing(
        items=pa.concat_tables([p.items for p in parts]) if parts else _from_folder({}).items,
        locations=[location for p in parts for location in p.locations],
        pictures=[picture for p in parts for picture in p.pictures],
        rejects=[reject for p in parts for reject in p.rejects],
        num_unreadable_values=sum(p.num_unreadable_values for p in parts),
    )


def _by_name(raw: RawRows, by_name: Mapping[str, Sequence[PictureSource]]) -> list[Sequence[PictureSource]]:
    ids, _ = text(raw.columns["item_id"])
    return [by_name.get(item, []) for item in ids.to_pylist()]


def _listing(raw: RawRows, chunk: Chunk, sources: list[Sequence[PictureSource]], separator: str) -> _Listing:
    name = str(chunk.file.location)
    ids, broken = text(raw.columns["item_id"])
    missing = np.asarray(pc.is_null(ids))
    attributes, num_unreadable = parse_attributes(raw.columns, len(ids), separator=separator)
    rejects = [
        Reject(source="items", location=f"{name}:{line}", reason=Reason.MALFORMED_ROW, detail=row[:120])
        for line, row in raw.malformed
    ]
    for row in np.flatnonzero(missing):
        reason = Reason.NOT_UTF8 if broken[row] else Reason.MISSING_ITEM
        rejects.append(Reject(source="items", location=f"{name}:{raw.lines[row]}", reason=reason))
    kept = np.flatnonzero(~missing)
    return _Listing(
        items=attributes.add_column(0, "item_id", ids).take(pa.array(kept)),
        locations=[f"{name}:{line}" for line in raw.lines[kept]],
        pictures=[sources[row] for row in kept],
        rejects=rejects,
        num_unreadable_values=num_unreadable,
    )


def _catalogue(listing: _Listing, rejects: list[Reject], max_pictures: int) -> Catalogue:
    """Each id once (its first row), in natural order; picture rows in the order of the listing."""
    codes = np.asarray(listing.items.column("item_id").combine_chunks().dictionary_encode().indices)
    _, firsts = np.unique(codes, return_index=True)
    firsts = np.sort(firsts)
    ids = listing.items.column("item_id").to_pylist()
    rejects = [*listing.rejects, *rejects]
    for row in np.setdiff1d(np.arange(len(codes)), firsts):
        rejects.append(
            Reject(
                source="items", location=listing.locations[row], reason=Reason.DUPLICATE_ITEM, detail=ids[row]
            )
        )
    items = listing.items.take(pa.array(firsts))
    order = natural_order(items.column("item_id").combine_chunks())
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))

    sources: list[PictureSource] = []
    row_item: list[int] = []
    num_left_out = 0
    for k, row in enumerate(firsts):
        pictures = listing.pictures[row][:max_pictures]
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
        row_item += [place[k]] * len(pictures)
        num_left_out += len(listing.pictures[row]) - len(pictures)
    return Catalogue(
        items=items.take(pa.array(order)),
        sources=sources,
        row_item=np.array(row_item, np.int32),
        rejects=rejects,
        num_unreadable_values=listing.num_unreadable_values,
        num_left_out=num_left_out,
    )
