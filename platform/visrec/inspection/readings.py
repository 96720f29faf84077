"""Results of an inspection: what each table and folder is taken for, and what remains to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from visrec.config.base import EventKind
from visrec.inspection.files import FoundTable
from visrec.inspection.kinds import KindReading
from visrec.inspection.samples import TableSample
from visrec.inspection.times import TimeReading


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A choice that the data alone does not make.

    Attributes:
        text: What was seen, and what the readings are.
        answers: Options of the command that choose a reading, such as `--set ingest.interactions.time_unit=s`.
        taken: The reading that the drafted config takes; None where it cannot run before there is an answer.
        key: Setting, or section of settings, that the question is about.
        lines: The same choice as lines of the config.
    """

    text: str
    answers: tuple[str, ...]
    taken: str | None
    key: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTable:
    """A table with a sample of its rows."""

    found: FoundTable
    sample: TableSample

    @property
    def names(self) -> list[str]:
        """Its column names."""
        return list(self.sample.columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogReading:
    """A table as a log.

    Attributes:
        table: The table.
        user: Column of users, or of sessions where `user_is_session`.
        item: Column of items.
        time: Its time column.
        kinds: Its kind column, or None.
        default_kind: Kind of all rows where there is no such column.
        kind_evidence: What says so; None where nothing does.
        rating: Column of ratings, or None.
        user_is_session: There are sessions, and no users.
        unknown_kinds: A column named like one of kinds, whose values are none that are known; or None.
        other: Further roles and their columns.
        rival_items: Other columns that name items, and the share of their different values that are known.
        item_share: Share of the different items that are in the catalogue or have a picture.
    """

    table: OpenTable
    user: str
    item: str
    time: TimeReading
    kinds: KindReading | None
    default_kind: EventKind
    kind_evidence: str | None
    rating: str | None
    user_is_session: bool
    unknown_kinds: str | None
    other: Mapping[str, str]
    rival_items: Mapping[str, float]
    item_share: float

    @property
    def columns(self) -> dict[str, str]:
        """Role and column name."""
        found = {"user_id": self.user, "item_id": self.item, "time": self.time.column}
        return found | ({"kind": self.kinds.column} if self.kinds else {}) | dict(self.other)


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueReading:
    """A table as the catalogue.

    Attributes:
        table: The table.
        columns: Role and column name, `item_id` among them.
        category_separator: Between categories in a text, or None where there is none.
        alternatives: By role further columns that could have it.
        notes: By role a remark.
        share: Share of the log's items that are among its items.
        properties: Of a table in long form: the settings `ingest.items.properties`; `columns` then name properties.
    """

    table: OpenTable
    columns: dict[str, str]
    category_separator: str | None
    alternatives: dict[str, list[str]]
    notes: dict[str, str]
    share: float
    properties: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureReading:
    """Where the pictures of items are.

    Attributes:
        path: The folder, or None where a column holds bytes or whole URIs.
        column: Column of the catalogue, or None where pictures are named after items.
        share: Share of the items that have one.
        example: Name of a picture.
        num_pictures: In the folder.
    """

    path: str | None
    column: str | None
    share: float
    example: str
    num_pictures: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A line of the drafted config.

    Attributes:
        key: Steps of its key, `ingest.images.path`; list places are numbers.
        value: Plain value.
        comment: At the end of its line.
        before: Comment lines above it.
        active: False where the setting stands as a comment only.
    """

    key: str
    value: Any
    comment: str = ""
    before: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A file or folder, and what it is taken for.

    Attributes:
        name: The file or folder.
        taken_for: log, catalogue, pictures, `not used` or `not read`.
        columns: Columns and what each is read as.
        note: Columns that are not used, what a folder holds, or why a file is not used.
    """

    name: str
    taken_for: str
    columns: tuple[tuple[str, str], ...]
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """Result of looking at a newcomer's data.

    Attributes:
        verdicts: On every file and folder.
        settings: The drafted config.
        questions: What the data does not decide.
        logs: The logs.
        catalogue: The catalogue; None where the pictures are it.
        pictures: Where the pictures are; None where none were found.
    """

    verdicts: list[Verdict]
    settings: list[Setting]
    questions: list[Question]
    logs: list[LogReading] = field(default_factory=list)
    catalogue: CatalogueReading | None = None
    pictures: PictureReading | None = None
