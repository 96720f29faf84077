"""Events as rows of text."""

from dataclasses import dataclass, replace
from typing import Final

from visrec.config import EVENT_KINDS, DemoDataConfig
from visrec.demo.calendar import iso
from visrec.demo.catalogue import item_name, user_name
from visrec.demo.sessions import Events

COLUMNS: Final = ("event_id", "user_id", "item_id", "kind", "time", "session_id", "position")


@dataclass(frozen=True)
class Row:
    """One line of the log, and where it belongs in time."""

    time_ms: int
    fields: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Kind of the event."""
        return self.fields[COLUMNS.index("kind")]

    def with_fields(self, **changes: str) -> "Row":
        """A copy with some columns changed."""
        named = {**dict(zip(COLUMNS, self.fields, strict=True)), **changes}
        return replace(self, fields=tuple(named.values()))

    def at(self, time_ms: int) -> "Row":
        """A copy with another time, in its place in the log and in its text."""
        return replace(self.with_fields(time=iso(time_ms)), time_ms=time_ms)


def rows_of(events: Events, config: DemoDataConfig) -> list[Row]:
    """The events as rows, in their order."""
    rows = []
    columns = (
        events.user,
        events.item,
        events.kind,
        events.time,
        events.session,
        events.position,
        events.number,
    )
    for user, item, kind, time, session, position, number in zip(*(c.tolist() for c in columns), strict=True):
        name = user_name(user, config.num_users)
        fields = (
            f"e{name[1:]}-{number:04d}",
            name,
            item_name(item, config.num_items),
            EVENT_KINDS[kind],
            iso(time),
            f"s{name[1:]}-{session:03d}",
            str(position) if position >= 0 else "",
        )
        rows.append(Row(time, fields))
    return rows


def text_of(rows: list[Row]) -> bytes:
    """Rows as lines of CSV. No field of ours needs quotes."""
    return "".join(",".join(row.fields) + "\n" for row in rows).encode()
