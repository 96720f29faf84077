"""What ingest reads of a log and of a catalogue, chunk by chunk, without a cluster."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from tests.support.dialects.logs import Read

from visrec.config import EVENT_KINDS, IngestConfig
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.chunks import SourceLines, check_columns, split_into_chunks
from visrec.ingestion.events import check_events
from visrec.ingestion.files import find_inputs, list_files
from visrec.ingestion.formats import read_rows
from visrec.ingestion.quarantine import REASONS
from visrec.ingestion.stages.read import LogSource, event_rules
from visrec.ingestion.text_dialect import TextSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadLog:
    """Events and rejects of a log.

    Attributes:
        events: Valid events.
        rejects: Reason, place (`file:line`) and detail of each rejected row.
    """

    events: Counter[Read]
    rejects: list[tuple[str, str, str]]


def read_log(settings: dict[str, Any], item_ids: Sequence[str], *, chunk_bytes: int) -> ReadLog:
    """Read a log in chunks of about `chunk_bytes`.

    Raises:
        DataError: The log cannot be read.
    """
    config = IngestConfig.model_validate({"interactions": settings})
    ((name, log),) = config.logs.items()
    assert log.path is not None
    files = list_files(log.path, log.format, setting=f"{name}.path")
    chunks = split_into_chunks(files, settings=TextSettings.of(log, name), chunk_bytes=chunk_bytes)
    source = LogSource(setting=name, config=log, chunks=chunks)
    check_columns(source.chunks, source.columns, setting=f"{name}.columns")
    (rules,) = event_rules([source], config.cleaning)
    events: Counter[Read] = Counter()
    rejected: list[pa.Table] = []
    num_lines: list[int] = []
    for number, chunk in enumerate(source.chunks):
        num_lines.append(0)
        for raw in read_rows(chunk, source.columns):
            read, rejects = check_events(raw, rules, pa.array(item_ids, pa.string()), number)
            for row in read.to_pylist():
                item = item_ids[row["item"]] if row["item"] >= 0 else row["item_id"]
                events[row["user_id"], item, EVENT_KINDS[row["kind"]], row["time"]] += 1
            rejected.append(rejects)
            num_lines[-1] += raw.num_lines
    lines = SourceLines.of(source.chunks, num_lines)
    places = []
    for rejects in rejected:
        where = lines.format(rejects.column("chunk").to_numpy(), rejects.column("line").to_numpy())
        for row, place in zip(rejects.to_pylist(), where.to_pylist(), strict=True):
            places.append((REASONS[row["reason"]].value, place, row["detail"]))
    return ReadLog(events=events, rejects=places)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadItem:
    """An item as ingest reads it; `pictures` are the files of its pictures, in order."""

    title: str | None
    categories: tuple[str, ...]
    price: float | None
    pictures: tuple[str, ...]


def read_items(settings: dict[str, Any]) -> dict[str, ReadItem]:
    """Read a catalogue: its items by their ids.

    Raises:
        DataError: The catalogue cannot be read.
    """
    log = {"path": settings["items"]["path"]}  # a log is required; it is not read here
    config = IngestConfig.model_validate({"interactions": log, **settings})
    inputs = find_inputs(config)
    catalogue = read_catalogue(config, inputs.items, inputs.pictures)
    pictures: list[list[str]] = [[] for _ in range(len(catalogue))]
    for item, source in zip(catalogue.row_item, catalogue.sources, strict=True):
        pictures[item].append(str(source))
    return {
        row["item_id"]: ReadItem(
            title=row["title"],
            categories=tuple(row["categories"]),
            price=row["price"],
            pictures=tuple(of_item),
        )
        for row, of_item in zip(catalogue.items.to_pylist(), pictures, strict=True)
    }
