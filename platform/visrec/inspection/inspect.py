"""Inspection of files and folders: what they are, how they join, and what remains to be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from visrec.errors import DataError
from visrec.inspection.catalogues import choose_catalogue, keys_of, read_catalogue_table
from visrec.inspection.draft import draft_settings
from visrec.inspection.files import FoundFiles, find_files
from visrec.inspection.headless import with_names
from visrec.inspection.logs import choose_logs, read_log
from visrec.inspection.names import named
from visrec.inspection.parts import with_joined_parts
from visrec.inspection.pictures import pictures_by_name, pictures_in_column, pool_of
from visrec.inspection.questions import ask
from visrec.inspection.readings import (
    CatalogueReading,
    Inspection,
    LogReading,
    OpenTable,
    PictureReading,
)
from visrec.inspection.samples import sample_table
from visrec.inspection.verdicts import verdicts


def inspect_data(paths: Sequence[str], *, logs: Sequence[str] = ()) -> Inspection:
    """Look at files and folders, and draft the config that ingests them.

    Args:
        paths: Files and folders of logs, a catalogue and pictures.
        logs: Those that are logs, where the data leaves a choice.

    Raises:
        DataError: A path leads nowhere, or no log was found.

    Example:
        >>> inspection = inspect_data(["data/movielens"])                                 # doctest: +SKIP
        >>> inspection.logs[0].columns                                                    # doctest: +SKIP
        {'user_id': 'userId', 'item_id': 'movieId', 'time': 'timestamp'}
    """
    found = find_files([*paths, *logs])
    pools = [pool_of(folder) for folder in found.pictures]
    tables = with_names(_opened(found), pools)
    tables = with_joined_parts(tables, _log_candidates(tables, pools))
    candidates = _log_candidates(tables, pools)
    if logs:
        given = {file.location.path for path in logs for t in find_files([path]).tables for file in t.files}
        candidates = [c for c in candidates if {f.location.path for f in c.table.found.files} <= given]
    if not candidates:
        raise DataError(_no_log(tables, found, paths))
    chosen, rivals = (list(candidates), []) if logs else choose_logs(candidates)
    others = [t for t in tables if all(t is not log.table for log in candidates)]
    joined = _join(found, others, _items_of(chosen))
    questions = ask(
        logs=chosen,
        rivals=rivals,
        are_given=bool(logs),
        unused=[c for c in candidates if c not in chosen],
        catalogue=joined.catalogue,
        catalogues=joined.candidates,
        pictures=joined.pictures,
        folders=found.pictures,
        items=joined.items,
    )
    return Inspection(
        verdicts=verdicts(
            found,
            tables,
            rivals or chosen,
            candidates,
            joined.catalogue,
            joined.pictures,
            log_is_open=bool(rivals),
        ),
        settings=draft_settings(
            chosen, joined.catalogue, joined.pictures, known=joined.known, log_is_open=bool(rivals)
        ),
        questions=questions,
        logs=chosen,
        catalogue=joined.catalogue,
        pictures=joined.pictures,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Joined:
    """Catalogue and pictures of the log's items.

    Attributes:
        items: Ids of the log's items.
        candidates: Tables that could be the catalogue.
        catalogue: The catalogue; None where the pictures are it.
        pictures: None where there are none.
        known: Share of the log's items that are in the catalogue.
    """

    items: Any
    candidates: list[CatalogueReading]
    catalogue: CatalogueReading | None
    pictures: PictureReading | None
    known: float


def _opened(found: FoundFiles) -> list[OpenTable]:
    tables = []
    for table in found.tables:
        try:
            tables.append(OpenTable(found=table, sample=sample_table(table.files)))
        except DataError as error:
            found.unread.append((table.path, str(error)))
    return tables


def _log_candidates(tables: Sequence[OpenTable], pools: Sequence[Any]) -> list[LogReading]:
    candidates = []
    for table in tables:
        keys = [key.distinct_ids for other in tables if other is not table for key in _unique_keys(other)]
        reading = read_log(table, [*pools, *keys])
        if reading:
            candidates.append(reading)
    return candidates


def _unique_keys(table: OpenTable) -> list[Any]:
    """Keys of a table of items; a log refers to them, and repeats its own."""
    return [k for k in keys_of(table) if not named("user_id", table.names)]


def _items_of(logs: Sequence[LogReading]) -> Any:
    ids = [log.table.sample.columns[log.item].distinct_ids for log in logs]
    return pc.unique(pa.concat_arrays(ids))


def _join(found: FoundFiles, tables: Sequence[OpenTable], items: Any) -> _Joined:
    candidates = [r for t in tables if (r := read_catalogue_table(t, items))]
    by_name = pictures_by_name(found.pictures, items)
    share_with_picture = by_name[0].share if by_name else 0.0
    catalogue = choose_catalogue(candidates, share_with_picture=share_with_picture)
    in_column = pictures_in_column(catalogue.table, found.pictures) if catalogue else []
    best = max([*by_name, *in_column], key=lambda r: r.share, default=None)
    return _Joined(
        items=items,
        candidates=candidates,
        catalogue=catalogue,
        pictures=best if best and best.share > 0 else None,
        known=catalogue.share if catalogue else share_with_picture,
    )


def _no_log(tables: Sequence[OpenTable], found: FoundFiles, paths: Sequence[str]) -> str:
    where = ", ".join(paths)
    wanted = "a log, a table with a user, an item and a time in each row"
    if tables:
        seen = "; ".join(f"{t.found.name} ({', '.join(t.names[:8])})" for t in tables[:5])
        return f"expected {wanted}, found none in {where}; tables: {seen}"
    if found.pictures:
        return f"expected {wanted}, found pictures only in {where}; give the path of the log as well"
    reasons = "; ".join(f"{path}: {why}" for path, why in found.unread[:5])
    return f"expected {wanted}, found no table in {where}: {reasons}"
