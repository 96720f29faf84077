"""Questions that an inspection leaves open: two readings of the same data, or a part that is missing."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from visrec.inspection.draft import log_keys, rating_kinds
from visrec.inspection.files import FoundPictures
from visrec.inspection.kinds import KIND_WORDS
from visrec.inspection.pictures import picture_ids, web_columns
from visrec.inspection.readings import CatalogueReading, LogReading, PictureReading, Question

_FEW = 0.5
"""Share of the items below which it is asked whether there are more pictures."""


def ask(
    *,
    logs: Sequence[LogReading],
    rivals: Sequence[LogReading],
    unused: Sequence[LogReading],
    catalogue: CatalogueReading | None,
    catalogues: Sequence[CatalogueReading],
    pictures: PictureReading | None,
    folders: Sequence[FoundPictures],
    items: Any,
) -> list[Question]:
    """All questions, those that stand in the way of a run first."""
    questions = list(_which_log(logs, rivals, unused))
    for key, log in zip(log_keys(logs), logs, strict=True):
        questions += _about_log(key, log)
    questions += _about_catalogue(catalogue, catalogues)
    questions += _about_pictures(pictures, folders, catalogue, items)
    return sorted(questions, key=lambda q: q.taken is not None)


def _which_log(
    logs: Sequence[LogReading], rivals: Sequence[LogReading], unused: Sequence[LogReading]
) -> Iterator[Question]:
    if rivals:
        paths = [r.table.found.path for r in rivals]
        yield Question(
            text=f"{len(rivals)} tables could be the log, and nothing tells which: {', '.join(paths)}. Is one of them "
            "the log, or are they parts of one?",
            answers=(*(f"--log {path}" for path in paths), " ".join(f"--log {path}" for path in paths)),
            taken=None,
            key="ingest.interactions",
        )
    elif len(logs) > 1:
        names = [f"{log.table.found.name} ({log.default_kind})" for log in logs]
        yield Question(
            text=f"There are {len(logs)} logs: {', '.join(names)}. Do they belong together?",
            answers=tuple(f"--log {log.table.found.path}" for log in logs),
            taken="all of them, as one history of each user",
            key="ingest.interactions",
        )
    for log in unused:
        if not rivals:
            yield Question(
                text=f"{log.table.found.path} has a user, an item and a time as well. Is it a log too?",
                answers=(" ".join(f"--log {chosen.table.found.path}" for chosen in [*logs, log]),),
                taken="it is left out",
                key="ingest.interactions",
            )


def _about_log(key: str, log: LogReading) -> Iterator[Question]:
    if log.user_is_session:
        yield Question(
            text=f"{log.table.found.name} has no column of users. Is a session ({log.user}) what you recommend to?",
            answers=(f"--set {key}.columns.user_id=COLUMN",),
            taken="each session is a user of its own",
            key=f"{key}.columns.user_id",
        )
    if log.rating:
        values = log.table.sample.columns[log.rating].distinct_texts
        kinds = json.dumps(rating_kinds(values))
        yield Question(
            text=f"{log.table.found.name} has ratings ({log.rating}, {min(values, key=float)} to "
            f"{max(values, key=float)}). Does a low rating mean that somebody did not like the item?",
            answers=(f"--set {key}.columns.kind={log.rating} --set '{key}.kind_names={kinds}'",),
            taken="each rating is an event of the same kind: who rates an item has chosen it",
            key=f"{key}.columns.kind",
        )
    elif not log.kinds and not log.kind_by_name:
        yield Question(
            text=f"{log.table.found.name} does not say what its events are (views, clicks, purchases, ...).",
            answers=(f"--set {key}.default_kind=purchase",),
            taken="click",
            key=f"{key}.default_kind",
        )
    if log.kinds:
        yield from _about_kinds(key, log)


def _about_kinds(key: str, log: LogReading) -> Iterator[Question]:
    assert log.kinds is not None, "checked before"
    for word in log.kinds.unknown:
        rows = log.table.sample.columns[log.kinds.column].share_matching(f"^{word}$")
        yield Question(
            text=f"{log.kinds.column} {word!r} ({rows:.0%} of the rows) is no kind of event that is known. Which of "
            f"{', '.join(KIND_WORDS)} is it?",
            answers=(f"--set {key}.kind_names.{word}=view",),
            taken="its rows are rejected" if rows < 0.1 else None,
            key=f"{key}.kind_names.{word}",
        )
    for word in log.kinds.assumed:
        yield Question(
            text=f"{log.kinds.column} {word!r}: how is it meant?",
            answers=(f"--set {key}.kind_names.{word}=hide",),
            taken=log.kinds.kinds[word],
            key=f"{key}.kind_names.{word}",
        )


def _about_catalogue(
    catalogue: CatalogueReading | None, catalogues: Sequence[CatalogueReading]
) -> Iterator[Question]:
    if catalogue is None and catalogues:
        names = ", ".join(c.table.found.path for c in catalogues)
        yield Question(
            text=f"No item of the log is in a table of items ({names}). Are these other ids?",
            answers=("--set ingest.items.path=FILE --set ingest.items.columns.item_id=COLUMN",),
            taken="the pictures are the catalogue",
            key="ingest.items",
        )


def _about_pictures(
    pictures: PictureReading | None,
    folders: Sequence[FoundPictures],
    catalogue: CatalogueReading | None,
    items: Any,
) -> Iterator[Question]:
    if pictures is not None:
        if pictures.share < _FEW:
            yield Question(
                text=f"Only {pictures.share:.0%} of the items have a picture in {pictures.path}. Are there others?",
                answers=("--set ingest.images.path=FOLDER",),
                taken="the other items are left out",
                key="ingest.images",
            )
        return
    if folders:
        largest = max(folders, key=lambda f: len(f.names))
        name = next(iter(picture_ids(largest)), largest.names[0])
        yield Question(
            text=f"No picture is named after an item: the log has {items[0].as_py()!r}, {largest.path} has {name!r}. "
            "Name the pictures after the items, or name the column of the catalogue that holds their paths.",
            answers=("--set ingest.images.path=FOLDER", "--set ingest.items.columns.image=COLUMN"),
            taken=None,
            key="ingest.images",
        )
        return
    web = web_columns(catalogue.table) if catalogue else []
    addresses = (
        f" {catalogue.table.found.name} has their addresses on the web ({', '.join(web)})."
        if web and catalogue
        else ""
    )
    yield Question(
        text=f"There are no pictures.{addresses} Put them into a folder, each named after its item "
        f"({items[0].as_py()}.jpg), and give the folder.",
        answers=("--set ingest.images.path=FOLDER",),
        taken=None,
        key="ingest.images",
    )
