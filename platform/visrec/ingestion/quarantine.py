"""Rejected rows and pictures: reason codes, counts, the limit on them, and the rows of `quarantine.parquet`.

Log rows are rejected in Ray tasks, in numbers that the driver does not hold: they are tables of `REJECT_SCHEMA`, of
which the driver sees a `RejectSummary`. Items and pictures are as many as the catalogue: they are a list of `Reject`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from visrec.data.schemas import QUARANTINE_SCHEMA
from visrec.errors import DataError
from visrec.ingestion.chunks import SourceLines
from visrec.storage import Location


class Reason(StrEnum):
    """Reason codes. Of several reasons against a row the first that is found is recorded."""

    # a row that cannot be read
    MALFORMED_ROW = "malformed_row"
    NOT_UTF8 = "not_utf8"
    MISSING_USER = "missing_user"
    MISSING_ITEM = "missing_item"
    USER_ID_TOO_LONG = "user_id_too_long"
    ITEM_ID_TOO_LONG = "item_id_too_long"
    ID_DIGITS_LOST = "id_digits_lost"
    UNKNOWN_KIND = "unknown_kind"
    BAD_POSITION = "bad_position"
    BAD_TIME = "bad_time"
    TIME_DIGITS_LOST = "time_digits_lost"
    NEGATIVE_TIME = "negative_time"
    IMPOSSIBLE_TIME = "impossible_time"
    FUTURE_TIME = "future_time"
    # an event that does not count
    DUPLICATE = "duplicate"
    BOT = "bot"
    UNKNOWN_ITEM = "unknown_item"
    ITEM_WITHOUT_IMAGE = "item_without_image"
    NEAR_DUPLICATE = "near_duplicate"
    BELOW_K_CORE = "below_k_core"
    # an item of the catalogue
    DUPLICATE_ITEM = "duplicate_item"
    # a picture
    NO_IMAGE = "no_image"
    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_NOT_AN_IMAGE = "image_not_an_image"
    IMAGE_TOO_MANY_PIXELS = "image_too_many_pixels"
    IMAGE_TRUNCATED = "image_truncated"


REASONS: tuple[Reason, ...] = tuple(Reason)
REASON_CODES: dict[Reason, int] = {reason: code for code, reason in enumerate(REASONS)}
"""Index of each reason in `REASONS`: its code in tables of rejected log rows."""

EXEMPT_REASONS: frozenset[Reason] = frozenset({Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.BELOW_K_CORE})
"""Reasons that say nothing about the quality of the input: they do not count against `max_rejected_share`."""

REJECT_SCHEMA = pa.schema(
    [
        ("chunk", pa.int32()),  # number of the chunk, see `SourceLines`
        ("line", pa.int64()),  # within the chunk
        ("reason", pa.int8()),  # index into `REASONS`
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """One rejected row of the catalogue, or one picture.

    Attributes:
        source: `items` or `images`.
        location: File and line, or the picture's path.
        reason: Why.
        detail: The value in question.
    """

    source: str
    location: str
    reason: Reason
    detail: str = ""


def malformed_items(malformed: Iterable[tuple[int, str]], file: str) -> list[Reject]:
    """Rejects of a catalogue's rows that cannot be parsed, from the line and text of each; see `RawRows.malformed`."""
    return [
        Reject(source="items", location=f"{file}:{line}", reason=Reason.MALFORMED_ROW, detail=row[:120])
        for line, row in malformed
    ]


@dataclass(kw_only=True, slots=True)
class RejectCounts:
    """Rejected rows by reason, with one example of each reason."""

    counts: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rejects: Iterable[Reject]) -> "RejectCounts":
        """Count rejects by reason."""
        result = cls()
        for reject in rejects:
            result.add(reject.reason, 1, reject.location, reject.detail)
        return result

    def add(self, reason: Reason, count: int, location: str, detail: str) -> None:
        """Count some rows; the example is kept where the reason has none yet."""
        self.counts[reason] += count
        self.examples.setdefault(reason, f"{location}: {detail}" if detail else location)

    def include(self, other: "RejectCounts") -> None:
        """Count the rows of others too."""
        for reason, count in other.counts.items():
            self.counts[reason] += count
            self.examples.setdefault(reason, other.examples[reason])

    @property
    def total(self) -> int:
        """All rejected rows."""
        return sum(self.counts.values())

    @property
    def num_bad(self) -> int:
        """Rows that count against the limit: all but those of `EXEMPT_REASONS`."""
        return sum(n for reason, n in self.counts.items() if reason not in EXEMPT_REASONS)

    def most_frequent(self, count: int = 3, *, all_reasons: bool = False) -> str:
        """The most frequent reasons as text, with an example each; exempt ones only with `all_reasons`."""
        chosen = [
            (reason, n)
            for reason, n in self.counts.most_common()
            if all_reasons or reason not in EXEMPT_REASONS
        ]
        return "; ".join(f"{reason} {n:,} (e.g. {self.examples[reason]})" for reason, n in chosen[:count])


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectSummary:
    """Counts of a table of `REJECT_SCHEMA`, and the (chunk, line, detail) of one row of each reason."""

    counts: dict[Reason, int]
    examples: dict[Reason, tuple[int, int, str]]

    @classmethod
    def of(cls, rejects: pa.Table) -> "RejectSummary":
        """Summarise a table."""
        codes, firsts, counts = np.unique(
            np.asarray(rejects.column("reason")), return_index=True, return_counts=True
        )
        rows = rejects.take(pa.array(firsts)).to_pylist()
        reasons = [REASONS[code] for code in codes]
        examples = [(row["chunk"], row["line"], row["detail"]) for row in rows]
        return cls(
            counts=dict(zip(reasons, counts.tolist(), strict=True)),
            examples=dict(zip(reasons, examples, strict=True)),
        )

    def resolve(self, source_lines: SourceLines) -> RejectCounts:
        """The counts with the examples' files and lines."""
        result = RejectCounts()
        for reason, count in self.counts.items():
            chunk, line, detail = self.examples[reason]
            location = source_lines.format(np.array([chunk], np.int32), np.array([line]))[0].as_py()
            result.add(reason, count, location, detail)
        return result


def check_rejected_share(
    rejected: RejectCounts, total: int, *, limit: float, what: str, setting: str
) -> None:
    """Stop the ingest where too much of its input is bad.

    Args:
        rejected: Rejected rows or pictures.
        total: Out of how many.
        limit: Largest share of `total`, from 0 to 1.
        what: What is counted, such as `log rows`.
        setting: Where the limit is configured.

    Raises:
        DataError: Names the share, the limit and the three most frequent reasons with an example each.
    """
    if total and rejected.num_bad > limit * total:
        raise DataError(
            f"{rejected.num_bad:,} of {total:,} {what} ({rejected.num_bad / total:.1%}) are rejected, the limit is "
            f"{limit:.1%} ({setting}); most frequent: {rejected.most_frequent()}"
        )


def write_rejected_rows(folder: Location, name: str, rejects: pa.Table, source_lines: SourceLines) -> None:
    """Write log rows of `REJECT_SCHEMA` as one part of `quarantine.parquet`; without rows nothing is written."""
    if not rejects.num_rows:
        return
    rejects = rejects.combine_chunks()
    reasons = pa.array([reason.value for reason in REASONS])
    chunk, line = np.asarray(rejects.column("chunk")), np.asarray(rejects.column("line"))
    columns = {
        "source": pa.array(["interactions"] * rejects.num_rows, pa.string()),
        "location": source_lines.format(chunk, line),
        "reason": reasons.take(rejects.column("reason")),
        "detail": rejects.column("detail"),
    }
    _write(folder, name, pa.table(columns, schema=QUARANTINE_SCHEMA))


def write_rejects(folder: Location, name: str, rejects: Sequence[Reject]) -> None:
    """Write one part of `quarantine.parquet`, also an empty one: readers need a file to find the columns in."""
    rows = [asdict(reject) for reject in rejects]
    _write(folder, name, pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA))


def _write(folder: Location, name: str, table: pa.Table) -> None:
    pq.write_table(table, f"{folder.path}/{name}.parquet", filesystem=folder.filesystem)
