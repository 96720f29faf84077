"""A log of the events of a table of truth, in a dialect drawn from all that ingest reads."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.support.dialects.records import (
    Cell,
    JsonDialect,
    ParquetDialect,
    Row,
    json_dialects,
    parquet_dialects,
)
from tests.support.dialects.text import TextDialect, text_dialects
from tests.support.dialects.times import TIME_STYLES, TimeStyle
from tests.support.dialects.truth import KINDS, Event, Truth

Read = tuple[str, str, str, int]
"""User, item, kind and milliseconds of an event, as ingest reads it."""

_KIND_NAMES = {"view": "pv", "click": "Click", "cart": "add to cart", "purchase": "BUY"}
_FILES = (1, 1, 2, 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """A way to write the events.

    Attributes:
        dialect: Of each file.
        times: How times are written.
        own_kind_names: Kinds have names of the log's own.
        kind: Where the kind stands: in a `column`, in the name of the `folder`, or nowhere (`none`: all are clicks).
        numbers: JSON and Parquet hold numbers as numbers, instead of text.
        num_bad: Rows without a user, one after each event from the first.
        num_files: Parts that the log is cut into.
    """

    dialect: TextDialect | JsonDialect | ParquetDialect
    times: TimeStyle
    own_kind_names: bool
    kind: str
    numbers: bool
    num_bad: int
    num_files: int

    def expected(self, truth: Truth) -> Counter[Read]:
        """All events, as ingest must read them."""
        return Counter(
            (e.user, e.item, "click" if self.kind == "none" else e.kind, self.times.kept(e.time))
            for e in truth.events
        )

    def write(self, truth: Truth, folder: Path) -> dict[str, Any]:
        """Write the log to a folder; the settings that read it."""
        parts: dict[str, list[Event]] = {}
        for number, event in enumerate(truth.events):
            parts.setdefault(self._stem(number, event), []).append(event)
        for stem, events in parts.items():
            (folder / stem).parent.mkdir(parents=True, exist_ok=True)
            self._write_file(folder, stem, self._rows(events))
        settings = {
            "path": str(folder),
            "columns": {"user_id": "who", "item_id": "what", "time": "at"},
            **dict(self.times.settings),
        }
        settings["columns"]["kind"] = None if self.kind == "none" else "kind"
        if self.own_kind_names:
            settings["kind_names"] = {_KIND_NAMES[kind]: kind for kind in KINDS}
        if isinstance(self.dialect, TextDialect):
            settings |= self.dialect.settings(self._names)
            if not self.dialect.named or self.dialect.compression == ".zip":
                settings["format"] = "csv"
        return settings

    def num_rows(self, truth: Truth) -> int:
        """Rows of all files, those without a user included."""
        num_events = Counter(self._stem(number, event) for number, event in enumerate(truth.events))
        return sum(num + min(num, self.num_bad) for num in num_events.values())

    def writable(self, truth: Truth) -> bool:
        """Whether the dialect can say what the events hold."""
        return not isinstance(self.dialect, TextDialect) or self.dialect.holds(
            as_text(self._rows(truth.events))
        )

    def is_literal(self, truth: Truth) -> bool:
        """Whether values that begin with a quote are written without quoting: two readings are possible."""
        return (
            isinstance(self.dialect, TextDialect)
            and self.dialect.quoting == "none"
            and any(cell.startswith('"') for row in as_text(self._rows(truth.events)) for cell in row)
        )

    def _stem(self, number: int, event: Event) -> str:
        folder = f"kind={self._kind(event.kind)}/" if self.kind == "folder" else ""
        return f"{folder}part{number % self.num_files}"

    @property
    def _names(self) -> list[str]:
        return ["what", "note", "at", "who", *(["kind"] if self.kind == "column" else [])]

    def _kind(self, kind: str) -> str:
        return _KIND_NAMES[kind] if self.own_kind_names else kind

    def _rows(self, events: Sequence[Event]) -> list[Row]:
        rows: list[Row] = []
        for number, event in enumerate(events):
            values: Row = {
                "what": event.item,
                "note": event.note,
                "at": self.times.write(event.time),
                "who": event.user,
                "kind": self._kind(event.kind),
            }
            rows.append({name: values[name] for name in self._names})
            if number < self.num_bad:
                rows.append({**rows[-1], "who": None})
        return rows

    def _write_file(self, folder: Path, stem: str, rows: list[Row]) -> None:
        if isinstance(self.dialect, ParquetDialect):
            self.dialect.write(folder, stem, [self._typed(row) for row in rows], ["who", "what"])
        elif isinstance(self.dialect, JsonDialect):
            self.dialect.write(folder, stem, [self._typed(row) for row in rows])
        else:
            self.dialect.write(folder, stem, self._names, as_text(rows))

    def _typed(self, row: Row) -> Row:
        return row if self.numbers else {**row, "at": str(row["at"])}


def as_text(rows: Sequence[Row]) -> list[list[str]]:
    """Cells as text; a missing value is empty."""

    def text(cell: Cell) -> str:
        return "" if cell is None else str(cell)

    return [[text(cell) for cell in row.values()] for row in rows]


@st.composite
def logs(draw: st.DrawFn, truth: Truth) -> Log:
    """Ways to write the events of a table of truth that lose nothing of it."""
    dialect: TextDialect | JsonDialect | ParquetDialect = draw(
        st.one_of(text_dialects(), json_dialects(), parquet_dialects(truth.id_kind))
    )
    log = Log(
        dialect=dialect,
        times=draw(st.sampled_from(TIME_STYLES)),
        own_kind_names=draw(st.booleans()),
        kind=draw(st.sampled_from(["column", "column", "none", "folder"])),
        numbers=draw(st.booleans()),
        num_bad=draw(st.sampled_from([0, 0, 1, 2])),
        num_files=draw(st.sampled_from(_FILES)),
    )
    return log
