"""Verdicts for people: each file and folder, what it is taken for, and the roles of its columns."""

from collections.abc import Iterator, Mapping, Sequence

from visrec.inspection.catalogues import is_long_form, keys_of
from visrec.inspection.files import FoundFiles
from visrec.inspection.readings import CatalogueReading, LogReading, OpenTable, PictureReading, Verdict

_ROLES = {
    "user_id": "user",
    "item_id": "item",
    "created_at": "in the catalogue since",
    "available": "whether it may be recommended",
    "image": "picture",
    "event_id": "id of the event",
    "session_id": "session",
    "position": "position in a list",
}
_MAX_UNREAD = 8
_MAX_UNUSED = 8
_UNIT_NAMES = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "iso8601": "compact dates",
    "excel": "Excel's days",
}


def verdicts(
    found: FoundFiles,
    tables: Sequence[OpenTable],
    logs: Sequence[LogReading],
    candidates: Sequence[LogReading],
    catalogue: CatalogueReading | None,
    pictures: PictureReading | None,
    *,
    log_is_open: bool,
) -> list[Verdict]:
    """Verdicts on all files and folders, those that are used first."""
    taken_for = "log?" if log_is_open else "log"
    used = [
        Verdict(
            name=log.table.found.path,
            taken_for=taken_for,
            columns=tuple(_log_columns(log)),
            note=_not_used(log.columns, log.table.names),
        )
        for log in logs
    ]
    if catalogue:
        columns = dict(catalogue.columns)
        if pictures and pictures.column:
            columns["image"] = pictures.column
        used.append(
            Verdict(
                name=catalogue.table.found.path,
                taken_for="catalogue",
                columns=tuple((name, _ROLES.get(role, role)) for role, name in columns.items()),
                note=_not_used({**columns, **(catalogue.properties or {})}, catalogue.table.names),
            )
        )
    if pictures and pictures.path:
        note = f"{pictures.num_pictures:,} pictures, such as {pictures.example}"
        used.append(Verdict(name=pictures.path, taken_for="pictures", columns=(), note=note))
    return [*used, *_unused(found, tables, candidates, {v.name for v in used})]


def _log_columns(log: LogReading) -> Iterator[tuple[str, str]]:
    yield log.user, "user (a session)" if log.user_is_session else "user"
    yield log.item, "item"
    unit = f" in {_UNIT_NAMES[log.time.unit]}" if log.time.is_number else ""
    yield log.time.column, f"time{unit}: {log.time.period}"
    if log.kinds:
        words = (f"{word} = {kind}" if word != kind else word for word, kind in log.kinds.kinds.items())
        yield log.kinds.column, f"kind of event: {', '.join(words)}"
    for role, name in log.other.items():
        yield name, _ROLES[role]


def _unused(
    found: FoundFiles, tables: Sequence[OpenTable], candidates: Sequence[LogReading], used: set[str]
) -> Iterator[Verdict]:
    logs = {c.table.found.path for c in candidates}
    for table in tables:
        path = table.found.path
        if path not in used:
            if path in logs:
                reason = "could be a log as well"
            elif is_long_form(table):
                reason = "a row for each property of an item"
            elif keys_of(table):
                reason = "a table of items, but another one has more to tell"
            else:
                reason = "no column of items"
            note = f"{reason}: {', '.join(table.names[:_MAX_UNUSED])}"
            yield Verdict(name=path, taken_for="not used", columns=(), note=note)
    for path, reason in found.unread[:_MAX_UNREAD]:
        yield Verdict(name=path, taken_for="not read", columns=(), note=reason)
    more = len(found.unread) - _MAX_UNREAD
    if more > 0:
        yield Verdict(name=f"{more:,} more files", taken_for="not read", columns=(), note="")


def _not_used(columns: Mapping[str, str], names: Sequence[str]) -> str:
    rest = [name for name in names if name not in columns.values()]
    more = ", ..." if len(rest) > _MAX_UNUSED else ""
    return f"not used: {', '.join(rest[:_MAX_UNUSED])}{more}" if rest else ""
