"""The drafted config: settings of ingest from what was found, with the evidence as comments."""

from collections.abc import Iterator, Sequence
from typing import Any

from visrec.config.base import EventKind
from visrec.inspection.readings import (
    CatalogueReading,
    LogReading,
    OpenTable,
    PictureReading,
    Setting,
)
from visrec.inspection.samples import Column, shorten

_LOG_ROLES = ("session_id", "event_id", "position")
_LIKED, _DISLIKED = 0.8, 0.4
"""Of the largest rating: from where a rating is a like, up to where it is a dislike, in the proposed kinds."""


def log_keys(logs: Sequence[LogReading]) -> list[str]:
    """Key of each log's settings."""
    return (
        ["ingest.interactions"] if len(logs) == 1 else [f"ingest.interactions.{k}" for k in range(len(logs))]
    )


def draft_settings(
    logs: Sequence[LogReading],
    catalogue: CatalogueReading | None,
    pictures: PictureReading | None,
    *,
    known: float,
    log_is_open: bool = False,
) -> list[Setting]:
    """Settings that make ingest read what was found.

    Args:
        logs: The logs.
        catalogue: None where the pictures are the catalogue.
        pictures: None where there are none.
        known: Share of the log's items that are in the catalogue.
        log_is_open: A person must say first which file the log is; its path is left out.
    """
    settings = [Setting(key="workspace", value="workspace", comment="where all results go")]
    for key, log in zip(log_keys(logs), logs, strict=True):
        settings += _log_settings(key, log, known=known, is_open=log_is_open)
    settings += _item_settings(catalogue, pictures)
    settings += _picture_settings(pictures)
    if any(log.rating for log in logs):
        settings += _rating_settings()
    return settings


def rating_kinds(values: Sequence[str]) -> dict[str, EventKind]:
    """Kinds of ratings: the upper fifth of the scale is liked, the lower two are disliked.

    Example:
        >>> rating_kinds(["5", "4", "3", "2.5", "1"])
        {'1': 'dislike', '2.5': 'view', '3': 'view', '4': 'like', '5': 'like'}
    """
    top = max(float(v) for v in values)

    def kind(value: float) -> EventKind:
        return "like" if value >= _LIKED * top else "dislike" if value <= _DISLIKED * top else "view"

    return {v: kind(float(v)) for v in sorted(values, key=float)}


def _log_settings(key: str, log: LogReading, *, known: float, is_open: bool) -> Iterator[Setting]:
    table, sample = log.table.found, log.table.sample
    rows = f"{sample.total_rows:,} rows" if sample.is_whole else f"about {sample.total_rows:,} rows"
    yield Setting(key=f"{key}.path", value=table.path, comment=rows, active=not is_open)
    if table.format != "auto":
        yield Setting(key=f"{key}.format", value=table.format)
    yield from _names_settings(key, log.table)
    columns = sample.columns
    yield Setting(key=f"{key}.columns.user_id", value=log.user, comment=_evidence(columns[log.user]))
    yield Setting(
        key=f"{key}.columns.item_id",
        value=log.item,
        comment=f"{_evidence(columns[log.item])}; {known:.0%} of them in the catalogue",
    )
    yield Setting(key=f"{key}.columns.time", value=log.time.column, comment=log.time.period)
    if log.kinds:
        yield Setting(
            key=f"{key}.columns.kind",
            value=log.kinds.column,
            comment=_kinds_evidence(columns[log.kinds.column]),
        )
    else:
        yield Setting(key=f"{key}.columns.kind", value=None, comment="no column with kinds of events")
    for role in _LOG_ROLES:
        if role in log.other:
            yield Setting(
                key=f"{key}.columns.{role}",
                value=log.other[role],
                comment=_evidence(columns[log.other[role]]),
            )
    if log.time.patterns:
        yield Setting(
            key=f"{key}.time_format",
            value=log.time.patterns[0],
            comment="of the texts in the time column",
            active=len(log.time.patterns) == 1,
        )
    if log.time.is_number:
        yield Setting(
            key=f"{key}.time_unit", value=log.time.unit, comment="of the numbers in the time column"
        )
    if log.kinds and log.kinds.names:
        yield Setting(key=f"{key}.kind_names", value=log.kinds.names)
    if not log.kinds:
        comment = log.kind_evidence or "of all rows"
        yield Setting(key=f"{key}.default_kind", value=log.default_kind, comment=comment)


def _names_settings(key: str, table: OpenTable) -> Iterator[Setting]:
    if table.found.column_names is not None:
        yield Setting(
            key=f"{key}.column_names",
            value=list(table.found.column_names),
            comment="there is no header: named by what the columns hold",
        )


def _item_settings(catalogue: CatalogueReading | None, pictures: PictureReading | None) -> Iterator[Setting]:
    if catalogue is None:
        return
    table, sample = catalogue.table.found, catalogue.table.sample
    yield Setting(
        key="ingest.items.path",
        value=table.path,
        comment=f"{'' if sample.is_whole else 'about '}{sample.total_rows:,} rows",
    )
    if table.format != "auto":
        yield Setting(key="ingest.items.format", value=table.format)
    yield from _names_settings("ingest.items", catalogue.table)
    if catalogue.properties is not None:
        comment = "long form: a row for each property of an item"
        yield Setting(key="ingest.items.properties", value=catalogue.properties, comment=comment)
    image = {"image": pictures.column} if pictures and pictures.column else {}
    for role, name in {**catalogue.columns, **image}.items():
        others = catalogue.alternatives.get(role, [])
        comment = _evidence(sample.columns[name]) if name in sample.columns else ""
        if others:
            comment += f"; also possible: {', '.join(others)}"
        yield Setting(key=f"ingest.items.columns.{role}", value=name, comment=comment)
    for role, note in catalogue.notes.items():
        if role not in catalogue.columns:
            name, _, fault = note.partition(": ")
            yield Setting(
                key=f"ingest.items.columns.{role}", value=name, comment=f"left out: {fault}", active=False
            )
    if catalogue.category_separator and catalogue.category_separator != "|":
        yield Setting(key="ingest.items.category_separator", value=catalogue.category_separator.strip())


def _picture_settings(pictures: PictureReading | None) -> Iterator[Setting]:
    if pictures is None:
        yield Setting(key="ingest.images.path", value="FOLDER", active=False)
    elif pictures.path is not None:
        yield Setting(
            key="ingest.images.path",
            value=pictures.path,
            comment=f"{pictures.num_pictures:,} pictures, such as {pictures.example}",
        )


def _rating_settings() -> Iterator[Setting]:
    yield Setting(
        key="ingest.cleaning.near_duplicate_seconds",
        value=0,
        before=("People rate many items a minute, from memory: these are neither duplicates nor bots.",),
    )
    yield Setting(key="ingest.cleaning.merge_seconds", value=0)
    yield Setting(key="ingest.cleaning.bot_events_per_minute", value=100_000)
    yield Setting(
        key="model.user.event_context",
        value=False,
        comment="all events are ratings: their kind carries no information",
    )


def _evidence(column: Column) -> str:
    example: Any = shorten(column.example, 30)
    return f"such as {example}" if example else ""


def _kinds_evidence(column: Column) -> str:
    return ", ".join(column.distinct_texts)
