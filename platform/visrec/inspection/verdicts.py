"""Verdicts for people: each file and folder, what it is taken for, and the roles of its columns."""

from collections.abc import Iterator, Mapping, Sequence

from visrec.inspection.catalogues import is_long_form, keys_of
from visrec.inspection.files import FoundFiles
from visrec.inspection.readings import CatalogueReading, LogReading, OpenTable, PictureReading, Verdict

_MAX_UNREAD = 8


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
        Verdict(name=log.table.found.path, taken_for=taken_for, details=_roles(log.columns, log.table.names))
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
                details=_roles(columns, catalogue.table.names),
            )
        )
    if pictures and pictures.path:
        details = f"{pictures.num_pictures:,} pictures, such as {pictures.example}"
        used.append(Verdict(name=pictures.path, taken_for="pictures", details=details))
    return [*used, *_unused(found, tables, candidates, {v.name for v in used})]


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
            yield Verdict(name=path, taken_for="not used", details=f"{reason}: {', '.join(table.names[:12])}")
    for path, reason in found.unread[:_MAX_UNREAD]:
        yield Verdict(name=path, taken_for="not read", details=reason)
    more = len(found.unread) - _MAX_UNREAD
    if more > 0:
        yield Verdict(name=f"{more:,} more files", taken_for="not read", details="")


def _roles(columns: Mapping[str, str], names: Sequence[str]) -> str:
    taken = [f"{role} = {name}" for role, name in columns.items()]
    rest = [name for name in names if name not in columns.values()]
    unused = f"; not used: {', '.join(rest[:10])}{', ...' if len(rest) > 10 else ''}" if rest else ""
    return ", ".join(taken) + unused
