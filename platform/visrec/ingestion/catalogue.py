"""Source catalogue: ids and attributes of all items, and where their pictures are; small enough for the driver."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs as pafs

from visrec.config.ingest import IngestConfig, ItemsConfig
from visrec.data.schemas import MAX_ID_BYTES
from visrec.errors import DataError, first_line
from visrec.ingestion.attributes import UnreadableValues, parse_attributes
from visrec.ingestion.chunks import Chunk, check_columns, check_keys, mapped_columns, split_into_chunks
from visrec.ingestion.column_types import ColumnNames, check_types
from visrec.ingestion.files import InputFile
from visrec.ingestion.folder_pictures import FolderPictures, pictures_of_catalogue, pictures_of_folder
from visrec.ingestion.formats import RawRows, read_rows
from visrec.ingestion.id_text import digits_lost_note, id_texts
from visrec.ingestion.ids import too_long
from visrec.ingestion.item_pictures import (
    is_bytes_column,
    pictures_at_paths,
    pictures_in_cells,
)
from visrec.ingestion.long_form import read_long_form
from visrec.ingestion.picture_index import PictureIndex
from visrec.ingestion.picture_sources import PictureSource
from visrec.ingestion.quarantine import Reason, Reject, malformed_items
from visrec.ingestion.source_catalogue import ParsedItems, SourceCatalogue, unique_items
from visrec.ingestion.text_dialect import TextSettings
from visrec.ingestion.values import not_utf8_note, shown
from visrec.storage import Location

_WHOLE_FILE = 1 << 62


def _no_ids() -> Collection[str]:
    return ()


def read_catalogue(
    config: IngestConfig,
    files: Sequence[InputFile],
    pictures: Sequence[pafs.FileInfo],
    *,
    logged_ids: Callable[[], Collection[str]] = _no_ids,
) -> SourceCatalogue:
    """Read the catalogue.

    Args:
        config: Where the items and the pictures are.
        files: Files of the items; empty where the pictures are the catalogue.
        pictures: Files of the picture folder; empty where there is none.
        logged_ids: Gives some item ids of the log: they decide what the names of sub-folders mean where there is no
            other catalogue.

    Raises:
        DataError: A mapped column is missing, a file cannot be read, or there is no item at all.
    """
    folder = Location.parse(config.images.path) if config.images.path is not None else None
    index = PictureIndex.of(folder, pictures) if folder else PictureIndex(())
    parsed = (
        _from_files(config, files, folder, index)
        if files or folder is None
        else _from_folder(pictures_of_folder(folder, index, config.images, logged_ids))
    )
    if not parsed.items.num_rows:
        raise DataError(f"expected items in {config.items.path or config.images.path}, found none")
    return unique_items(parsed, config.images.max_per_item)


def _from_folder(found: FolderPictures) -> ParsedItems:
    ids = pa.array(list(found.of_item), pa.string())
    long = too_long(ids)
    kept = pa.array(~long)
    pictures = list(found.of_item.values())
    attributes, _ = parse_attributes({}, len(ids), separator="|")
    detail = f"expected ids of at most {MAX_ID_BYTES:,} bytes"
    rejects = [
        Reject(source="images", location=str(pictures[k][0]), reason=Reason.ITEM_ID_TOO_LONG, detail=detail)
        for k in np.flatnonzero(long)
    ]
    pictures = [pictures[k] for k in np.flatnonzero(~long)]
    return ParsedItems(
        items=attributes.add_column(0, "item_id", ids).filter(kept),
        locations=[str(of_item[0]) for of_item in pictures],
        pictures=list(pictures),
        rejects=[*found.rejects, *rejects],
        unreadable_values=UnreadableValues(),
        by_name=found,
    )


def _from_files(
    config: IngestConfig,
    files: Sequence[InputFile],
    folder: Location | None,
    index: PictureIndex,
) -> ParsedItems:
    columns = mapped_columns(config.items.columns)
    settings = TextSettings.of(config.items, "ingest.items")
    chunks = split_into_chunks(files, chunk_bytes=_WHOLE_FILE, settings=settings)
    if config.items.properties is not None:
        table = read_long_form(chunks, columns, config.items.properties)
        names = ColumnNames(setting="ingest.items.columns", names=columns, file=files[0].location.name)
        image = table.rows.columns.get("image")
        sources: list[Sequence[PictureSource]] = [[] for _ in table.rows.lines]
        if image is not None:
            sources = pictures_at_paths(image, folder, config.items.image_separator, index, names)
        parts = [_parse(table.rows, chunks[0], sources, config.items, names)]
        rejects = table.rejects
    else:
        check_columns(chunks, columns, setting="ingest.items.columns")
        parts, rejects = _parts(config, chunks, columns, folder, index), []
    unreadable = UnreadableValues()
    for part in parts:
        unreadable.include(part.unreadable_values)
    parsed = ParsedItems(
        items=pa.concat_tables([p.items for p in parts])
        if parts
        else _from_folder(FolderPictures.none()).items,
        locations=[location for p in parts for location in p.locations],
        pictures=[picture for p in parts for picture in p.pictures],
        rejects=[*rejects, *(reject for p in parts for reject in p.rejects)],
        unreadable_values=unreadable,
        num_pictures_without_item=sum(p.num_pictures_without_item for p in parts),
    )
    if "image" in columns or folder is None:
        return parsed
    found = pictures_of_catalogue(folder, index, config.images, parsed.items.column("item_id").to_pylist())
    return replace(
        parsed,
        pictures=[found.of_item.get(item, []) for item in parsed.items.column("item_id").to_pylist()],
        rejects=[*parsed.rejects, *found.rejects],
        by_name=found,
    )


def _parts(
    config: IngestConfig,
    chunks: Sequence[Chunk],
    columns: Mapping[str, str],
    folder: Location | None,
    index: PictureIndex,
) -> list[ParsedItems]:
    """The items of each piece of each file."""
    parts, absent = [], []
    image = columns.get("image")
    for chunk in chunks:
        as_bytes = image is not None and is_bytes_column(chunk, image)
        to_read = {role: name for role, name in columns.items() if not (as_bytes and role == "image")}
        names = ColumnNames(setting="ingest.items.columns", names=columns, file=str(chunk.file.location))
        for raw in read_rows(chunk, to_read, whole=True):
            check_types(raw.columns, names)
            sources: list[Sequence[PictureSource]]
            if image is None:
                sources = [[] for _ in raw.lines]  # found by name when all ids are known
            elif as_bytes:
                try:
                    sources = pictures_in_cells(chunk, names, folder, index)
                except (OSError, pa.ArrowException) as error:
                    raise DataError(f"{chunk.file.location} cannot be read: {first_line(error)}") from None
            else:
                sources = pictures_at_paths(
                    raw.columns["image"], folder, config.items.image_separator, index, names
                )
            parts.append(_parse(raw, chunk, sources, config.items, names))
            absent += [raw.absent] if raw.num_lines else []
    check_keys(chunks, columns, absent, setting="ingest.items.columns")
    return parts


def _parse(
    raw: RawRows,
    chunk: Chunk,
    sources: list[Sequence[PictureSource]],
    config: ItemsConfig,
    names: ColumnNames,
) -> ParsedItems:
    name = str(chunk.file.location)
    ids = id_texts(raw.columns["item_id"])
    missing = np.asarray(pc.is_null(ids.values))
    attributes, unreadable = parse_attributes(
        raw.columns,
        len(missing),
        separator=config.category_separator,
        names=names,
        available_names=config.available_names,
    )
    rejects = malformed_items(raw.malformed, name)
    for row in np.flatnonzero(missing):
        reason, detail = Reason.MISSING_ITEM, ""
        if ids.undecodable[row]:
            value = shown(raw.columns["item_id"][int(row)].as_py(), 40)
            reason, detail = Reason.NOT_UTF8, f"{value}{not_utf8_note('ingest.items')}"
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
    return ParsedItems(
        items=attributes.add_column(0, "item_id", ids.values).take(pa.array(kept)),
        locations=[f"{name}:{line}" for line in raw.lines[kept]],
        pictures=[sources[row] for row in kept],
        rejects=rejects,
        unreadable_values=unreadable,
        num_pictures_without_item=sum(bool(sources[row]) for row in np.flatnonzero(missing)),
    )
