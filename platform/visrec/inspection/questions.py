"""Questions that an inspection leaves open: two readings of the same data, or a part that is missing."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from visrec.config.base import EVENT_KINDS
from visrec.inspection.draft import log_keys, rating_kinds
from visrec.inspection.files import FoundPictures
from visrec.inspection.pictures import picture_ids, web_columns
from visrec.inspection.readings import CatalogueReading, LogReading, OpenTable, PictureReading, Question

_FEW = 0.5
"""Share of the items below which it is asked whether there are more pictures."""
_RARE = 0.1
"""Share of the log's rows up to which those of an unknown kind are left to be rejected."""


def ask(
    *,
    logs: Sequence[LogReading],
    rivals: Sequence[LogReading],
    are_given: bool,
    unused: Sequence[LogReading],
    catalogue: CatalogueReading | None,
    catalogues: Sequence[CatalogueReading],
    pictures: PictureReading | None,
    folders: Sequence[FoundPictures],
    items: Any,
) -> list[Question]:
    """All questions, those that stand in the way of a run first; `are_given`: a person has said which the logs are."""
    questions = [] if are_given else list(_which_log(logs, rivals, unused))
    for key, log in zip(log_keys(logs), logs, strict=True):
        questions += _about_log(key, log)
        questions += _about_kinds(key, log)
    questions += _about_catalogue(catalogue, catalogues)
    questions += _about_pictures(pictures, folders, catalogue, items)
    return sorted(questions, key=lambda q: q.taken is not None)


def _which_log(
    logs: Sequence[LogReading], rivals: Sequence[LogReading], unused: Sequence[LogReading]
) -> Iterator[Question]:
    key = "ingest.interactions"
    if rivals:
        paths = [r.table.found.path for r in rivals]
        yield Question(
            key=key,
            text=f"{len(rivals)} tables could be the log: {', '.join(paths)}. Is it one of them, or are they parts "
            "of one?",
            answers=(*(f"--log {path}" for path in paths), " ".join(f"--log {path}" for path in paths)),
            taken=None,
            lines=tuple(f"path: {path}" for path in paths),
        )
        return
    if len(logs) > 1:
        names = [f"{log.table.found.name} ({log.default_kind})" for log in logs]
        yield Question(
            key=key,
            text=f"There are {len(logs)} logs: {', '.join(names)}. Do they belong together?",
            answers=tuple(f"--log {log.table.found.path}" for log in logs),
            taken="all of them, as one history of each user",
        )
    for log in unused:
        path = log.table.found.path
        yield Question(
            key=key,
            text=f"{path} has a user, an item and a time in each row as well. Is it a log too?",
            answers=(" ".join(f"--log {chosen.table.found.path}" for chosen in [*logs, log]),),
            taken="it is left out",
        )


def _about_header(key: str, table: OpenTable) -> Iterator[Question]:
    names = table.found.column_names
    if names is not None:
        yield Question(
            key=f"{key}.column_names",
            text=f"{table.found.name} has no header: its columns are named by what they hold. Are they "
            f"{', '.join(names)}?",
            answers=(f"--set '{key}.column_names=[{', '.join(names)}]'",),
            taken="they are",
        )


def _about_log(key: str, log: LogReading) -> Iterator[Question]:
    name = log.table.found.name
    yield from _about_header(key, log.table)
    if len(log.time.patterns) > 1:
        example = log.table.sample.columns[log.time.column].example
        yield Question(
            key=f"{key}.time_format",
            text=f"{name}: {log.time.column} ({example}) does not tell the day from the month. Which pattern is right?",
            answers=tuple(f"--set '{key}.time_format={pattern}'" for pattern in log.time.patterns),
            taken=None,
            lines=tuple(f"time_format: {json.dumps(pattern)}" for pattern in log.time.patterns),
        )
    if log.user_is_session:
        yield Question(
            key=f"{key}.columns.user_id",
            text=f"{name} has no column of users. Are its sessions ({log.user}) what you recommend to?",
            answers=(f"--set {key}.columns.user_id=COLUMN",),
            taken="each session is a user of its own",
        )
    for other, share in log.rival_items.items():
        yield Question(
            key=f"{key}.columns.item_id",
            text=f"{name} has two columns of items: {log.item} and {other} ({share:.0%} of its values are known as "
            "well). Which one do you recommend?",
            answers=(f"--set {key}.columns.item_id={json.dumps(other)}",),
            taken=log.item,
            lines=(f"item_id: {other}",),
        )


def _about_kinds(key: str, log: LogReading) -> Iterator[Question]:
    name = log.table.found.name
    if log.kinds:
        yield from _about_words(key, log)
    elif log.rating:
        values = log.table.sample.columns[log.rating].distinct_texts
        kinds = _as_yaml(rating_kinds(values))
        yield Question(
            key=f"{key}.columns.kind",
            text=f"{name} has ratings ({log.rating}, {min(values, key=float)} to {max(values, key=float)}). Does a low "
            "rating mean that somebody did not like the item?",
            answers=(f"--set {key}.columns.kind={log.rating} --set '{key}.kind_names={kinds}'",),
            taken="each rating is an event of the same kind: who rates an item has chosen it",
            lines=(f"kind: {log.rating}", f"and beside columns: kind_names: {kinds}"),
        )
    elif log.unknown_kinds:
        words = log.table.sample.columns[log.unknown_kinds].distinct_texts[:20]
        kinds = _as_yaml(dict.fromkeys(words, log.default_kind))
        yield Question(
            key=f"{key}.columns.kind",
            text=f"{name}: is {log.unknown_kinds} ({', '.join(words)}) a kind of event, and which of "
            f"{', '.join(EVENT_KINDS)} is each?",
            answers=(f"--set {key}.columns.kind={log.unknown_kinds} --set '{key}.kind_names={kinds}'",),
            taken=f"it is not read, and each row is a {log.default_kind}",
            lines=(f"kind: {log.unknown_kinds}", f"and beside columns: kind_names: {kinds}"),
        )
    elif not log.kind_evidence:
        yield Question(
            key=f"{key}.default_kind",
            text=f"{name} does not say what its events are: {', '.join(EVENT_KINDS)}?",
            answers=(f"--set {key}.default_kind=purchase",),
            taken=log.default_kind,
        )


def _as_yaml(kinds: Mapping[str, str]) -> str:
    """A mapping as YAML without single quotes, which would end the shell's."""
    return "{" + ", ".join(f"{_key(name)}: {kind}" for name, kind in kinds.items()) + "}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w.+-]+", name) else json.dumps(name, ensure_ascii=False)


def _about_words(key: str, log: LogReading) -> Iterator[Question]:
    assert log.kinds is not None, "checked before"
    for word in log.kinds.unknown:
        share = log.table.sample.columns[log.kinds.column].share_equal(word)
        yield Question(
            key=f"{key}.kind_names.{word}",
            text=f"Which kind of event is {log.kinds.column} {word!r} ({share:.0%} of the rows): "
            f"{', '.join(EVENT_KINDS)}?",
            answers=(f"--set {key}.kind_names.{word}=view",),
            taken="its rows are rejected" if share < _RARE else None,
        )
    for word in log.kinds.assumed:
        yield Question(
            key=f"{key}.kind_names.{word}",
            text=f"What does {log.kinds.column} {word!r} say of the item?",
            answers=(f"--set {key}.kind_names.{word}=hide",),
            taken=log.kinds.kinds[word],
        )


def _about_catalogue(
    catalogue: CatalogueReading | None, catalogues: Sequence[CatalogueReading]
) -> Iterator[Question]:
    if catalogue is None and catalogues:
        names = ", ".join(f"{c.table.found.path}: {c.share:.0%}" for c in catalogues)
        yield Question(
            key="ingest.items",
            text=f"Few items of the log are in a table of items ({names}). Are these other ids?",
            answers=("--set ingest.items.path=FILE --set ingest.items.columns.item_id=COLUMN",),
            taken="the pictures are the catalogue",
        )
    if catalogue is not None:
        yield from _about_header("ingest.items", catalogue.table)


def _about_pictures(
    pictures: PictureReading | None,
    folders: Sequence[FoundPictures],
    catalogue: CatalogueReading | None,
    items: Any,
) -> Iterator[Question]:
    key, example = "ingest.images", items[0].as_py() if len(items) else "ITEM"
    folder_answer = "--set ingest.images.path=FOLDER"
    if pictures is not None:
        if pictures.share < _FEW:
            yield Question(
                key=key,
                text=f"Only {pictures.share:.0%} of the log's items have a picture in {pictures.path}. Are there more?",
                answers=(folder_answer,),
                taken="the other items are left out",
            )
    elif folders:
        largest = max(folders, key=lambda f: len(f.names))
        name = next(iter(picture_ids(largest)), largest.names[0])
        yield Question(
            key=key,
            text=f"No picture is named after an item: the log has {example!r}, {largest.path} has {name!r}. Name the "
            "pictures after the items, or name the column of the catalogue that holds their paths.",
            answers=(folder_answer, "--set ingest.items.columns.image=COLUMN"),
            taken=None,
        )
    else:
        web = web_columns(catalogue.table) if catalogue else []
        addresses = (
            f" {catalogue.table.found.name} has their addresses on the web ({', '.join(web)})."
            if catalogue and web
            else ""
        )
        yield Question(
            key=key,
            text=f"There are no pictures.{addresses} Put them into a folder, each named after its item "
            f"({example}.jpg), and give the folder.",
            answers=(folder_answer,),
            taken=None,
        )
