"""Everything that was refused: counting it, keeping it, and stopping where it is too much."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

import pyarrow as pa
import pyarrow.parquet as pq

from visrec.errors import DataError
from visrec.storage import Location


class Reason(StrEnum):
    """Reason codes. Their order is the order in which a row is checked: the first that fits is the one recorded."""

    # a row that cannot be read
    MALFORMED_ROW = "malformed_row"
    NOT_UTF8 = "not_utf8"
    MISSING_USER = "missing_user"
    MISSING_ITEM = "missing_item"
    UNKNOWN_KIND = "unknown_kind"
    BAD_POSITION = "bad_position"
    BAD_TIME = "bad_time"
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
"""All codes; a row's reason is kept as the place in this tuple while rows move."""

CODE: dict[Reason, int] = {reason: code for code, reason in enumerate(REASONS)}

NOT_DIRT: frozenset[Reason] = frozenset({Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.BELOW_K_CORE})
"""Reasons that say nothing about the input's quality: they do not count against `max_rejected_share`."""


QUARANTINE_SCHEMA = pa.schema(
    [("source", pa.string()), ("location", pa.string()), ("reason", pa.string()), ("detail", pa.string())]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """One refused row or picture.

    Attributes:
        source: `interactions`, `items` or `images`.
        location: File and line, or the picture's place.
        reason: Why.
        detail: The value in question.
    """

    source: str
    location: str
    reason: Reason
    detail: str = ""


@dataclass(kw_only=True, slots=True)
class Tally:
    """Refused rows by reason, with one example each."""

    counts: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, str] = field(default_factory=dict)

    def add(self, reason: Reason, count: int, example: str) -> None:
        """Count some rows; the first example of a reason stays."""
        self.counts[reason] += count
        self.examples.setdefault(reason, example)

    def include(self, other: "Tally") -> None:
        """Count another tally's rows too."""
        for reason, count in other.counts.items():
            self.add(reason, count, other.examples[reason])

    @property
    def dirt(self) -> int:
        """Rows that count against the limit."""
        return sum(n for reason, n in self.counts.items() if reason not in NOT_DIRT)

    def most_frequent(self, count: int = 3, *, all_reasons: bool = False) -> str:
        """The most frequent reasons in words, with an example each."""
        chosen = [(r, n) for r, n in self.counts.most_common() if all_reasons or r not in NOT_DIRT][:count]
        return "; ".join(f"{reason} {n:,} (e.g. {self.examples[reason]})" for reason, n in chosen)


def tally(rejects: Iterable[Reject]) -> Tally:
    """Count rejects by reason."""
    counted = Tally()
    for reject in rejects:
        counted.add(reject.reason, 1, example(reject.location, reject.detail))
    return counted


def example(location: str, detail: str) -> str:
    """How an example of a refused row is shown."""
    return f"{location}: {detail}" if detail else location


def check_share(refused: Tally, total: int, *, limit: float, what: str, setting: str) -> None:
    """Stop where too much is dirt.

    Args:
        refused: What was refused.
        total: Out of how many.
        limit: Largest share of `total`, from 0 to 1.
        what: What is counted, such as `log rows`.
        setting: Where the limit is configured.

    Raises:
        DataError: Says the share, the limit and the three most frequent reasons with an example each.
    """
    if total and refused.dirt > limit * total:
        raise DataError(
            f"{refused.dirt:,} of {total:,} {what} ({refused.dirt / total:.1%}) are refused, the limit is {limit:.1%} "
            f"({setting}); most frequent: {refused.most_frequent()}"
        )


def write_quarantine(folder: Location, name: str, rows: pa.Table, *, even_if_empty: bool = False) -> None:
    """Write one part of `quarantine.parquet`; where there are no rows only if asked to."""
    if rows.num_rows or even_if_empty:
        pq.write_table(rows, f"{folder.path}/{name}.parquet", filesystem=folder.filesystem)


def rejects_table(rejects: Sequence[Reject]) -> pa.Table:
    """Rejects as rows of `quarantine.parquet`."""
    rows = [asdict(reject) for reject in rejects]
    return pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)
