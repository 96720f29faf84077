"""Preview of an ingest: a drafted config tried on a sample of the log, by the rules of ingest itself."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.config import EVENT_KINDS
from visrec.config.ingest import IngestConfig
from visrec.errors import DataError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.chunks import check_columns, mapped_columns, split_into_chunks
from visrec.ingestion.events import EventRules, check_events
from visrec.ingestion.files import Inputs, find_inputs
from visrec.ingestion.formats import read_rows
from visrec.ingestion.picture_sources import FilePicture, PictureSource
from visrec.ingestion.quarantine import REASONS
from visrec.ingestion.source_catalogue import SourceCatalogue
from visrec.ingestion.text_dialect import TextSettings

_CHUNK_BYTES = 1 << 20
_MAX_CHUNKS = 8
_MAX_PICTURES = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinedRow:
    """A log row with its item."""

    user: str
    item: str
    title: str
    time: str
    kind: str
    picture: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A sample of the log, as ingest will read it.

    Attributes:
        rows: Some rows that could be joined.
        num_rows: Sampled rows of all logs.
        num_valid: Of these, rows without a fault.
        num_known: Of these, rows whose item is in the catalogue.
        num_usable: Of these, rows whose item has a picture.
        num_items: Items of the catalogue.
        num_with_picture: Of these, items with a picture.
        reasons: Faults of rows, with an example each.
        unknown_item: An item of the log that is not in the catalogue, and an id of the catalogue.
    """

    rows: list[JoinedRow]
    num_rows: int
    num_valid: int
    num_known: int
    num_usable: int
    num_items: int
    num_with_picture: int
    reasons: dict[str, tuple[int, str]]
    unknown_item: tuple[str, str] | None


def preview_ingest(config: IngestConfig, *, num_rows: int = 5) -> Preview:
    """Try a config on the whole catalogue and a sample of the logs.

    Raises:
        DataError: As ingest itself raises it.
    """
    inputs = find_inputs(config)
    catalogue = read_catalogue(config, inputs.items, inputs.pictures)
    parts = list(_events(config, inputs, catalogue.item_ids))
    events = pa.concat_tables([events for events, _ in parts])
    rejects = pa.concat_tables([rejects for _, rejects in parts])
    items = np.asarray(events.column("item"))
    first_picture = _first_pictures(catalogue)
    known = np.flatnonzero(items >= 0)
    shown = [k for k in known if int(items[k]) in first_picture] or known.tolist()
    spread = (
        [shown[k] for k in np.unique(np.linspace(0, len(shown) - 1, num_rows).astype(int))] if shown else []
    )
    unknown = np.flatnonzero(items < 0)
    share_existing = _share_existing(catalogue.sources)
    return Preview(
        rows=[_joined(events.slice(int(k), 1), catalogue, first_picture) for k in spread],
        num_rows=events.num_rows + rejects.num_rows,
        num_valid=events.num_rows,
        num_known=len(known),
        num_usable=round(share_existing * np.isin(items[known], list(first_picture)).sum()),
        num_items=len(catalogue),
        num_with_picture=round(share_existing * len(first_picture)),
        reasons=_reasons(rejects),
        unknown_item=(events.column("item_id")[int(unknown[0])].as_py(), catalogue.item_ids[0].as_py())
        if len(unknown)
        else None,
    )


def _events(config: IngestConfig, inputs: Inputs, item_ids: Any) -> Iterator[tuple[pa.Table, pa.Table]]:
    for setting, log in config.logs.items():
        columns = mapped_columns(log.columns)
        chunks = split_into_chunks(
            inputs.logs[setting], chunk_bytes=_CHUNK_BYTES, settings=TextSettings.of(log, setting)
        )
        check_columns(chunks, columns, setting=f"{setting}.columns")
        rules = EventRules.of(log, config.cleaning, now=time.time(), setting=setting)
        for k in np.unique(np.linspace(0, len(chunks) - 1, _MAX_CHUNKS).astype(int)) if chunks else []:
            for raw in read_rows(chunks[k], columns):
                yield check_events(raw, rules, item_ids, int(k))
                break
    if not config.logs:
        raise DataError("expected a log, got none")


def _first_pictures(catalogue: SourceCatalogue) -> dict[int, PictureSource]:
    found: dict[int, PictureSource] = {}
    for item, source in zip(catalogue.row_item.tolist(), catalogue.sources, strict=True):
        found.setdefault(item, source)
    return found


def _share_existing(sources: list[PictureSource]) -> float:
    """Share of the pictures that are there, of a sample of those in files."""
    files = [s for s in sources if isinstance(s, FilePicture)]
    if not files:
        return 1.0
    chosen = [files[k] for k in np.unique(np.linspace(0, len(files) - 1, _MAX_PICTURES).astype(int))]
    return sum(_exists(source) for source in chosen) / len(chosen)


def _exists(source: FilePicture) -> bool:
    try:
        return source.location().exists()
    except (DataError, OSError):
        return False


def _joined(
    event: pa.Table, catalogue: SourceCatalogue, first_picture: dict[int, PictureSource]
) -> JoinedRow:
    row = event.to_pylist()[0]
    item = catalogue.items.slice(row["item"], 1).to_pylist()[0]
    moment = _EPOCH + timedelta(milliseconds=row["time"])
    source = first_picture.get(row["item"])
    return JoinedRow(
        user=row["user_id"],
        item=item["item_id"],
        title=item["title"] or "",
        time=f"{moment:%Y-%m-%d %H:%M}",
        kind=EVENT_KINDS[row["kind"]],
        picture=_short(source),
    )


def _short(source: PictureSource | None) -> str:
    if source is None:
        return "none"
    return source.path if isinstance(source, FilePicture) else str(source).rsplit("/", 1)[-1]


def _reasons(rejects: pa.Table) -> dict[str, tuple[int, str]]:
    codes = rejects.column("reason").to_pylist()
    details = rejects.column("detail").to_pylist()
    counts = Counter(codes)
    examples = dict(zip(reversed(codes), reversed(details), strict=True))
    return {REASONS[code].value: (count, examples[code]) for code, count in counts.most_common()}
