"""The interaction log as rows of CSV, with the data errors of real logs: duplicates, bots, unknown items, wrong clocks,
malformed rows. Dirty rows are added to the clean ones, so that no true event is lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from visrec.arrays import DAY_MS
from visrec.config import EVENT_KINDS, DemoDataConfig
from visrec.demo.catalogue import item_name, user_name
from visrec.demo.determinism import LOG_END_MS, iso, log_start_ms, stream
from visrec.demo.sessions import KIND_CODES, ShopEvents

COLUMNS: Final = ("event_id", "user_id", "item_id", "kind", "time", "session_id", "position")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRow:
    """One row of the log.

    Attributes:
        time_ms: Time by which the log is sorted; a dirty row may show another one.
        fields: Values of the columns as text; a malformed row has too few or too many.
    """

    time_ms: int
    fields: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Kind of the event."""
        return self.fields[COLUMNS.index("kind")]

    def with_fields(self, **changes: str) -> "LogRow":
        """A copy with some columns changed."""
        named = {**dict(zip(COLUMNS, self.fields, strict=True)), **changes}
        return replace(self, fields=tuple(named.values()))

    def at(self, time_ms: int) -> "LogRow":
        """A copy with another time, in the sort order and in the text."""
        return replace(self.with_fields(time=iso(time_ms)), time_ms=time_ms)


def rows_of(events: ShopEvents, config: DemoDataConfig) -> list[LogRow]:
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
        rows.append(LogRow(time_ms=time, fields=fields))
    return rows


def text_of(rows: list[LogRow]) -> bytes:
    """Rows as lines of CSV; no field needs quotes."""
    return "".join(",".join(row.fields) + "\n" for row in rows).encode()


BOT_SHARE: Final = 0.35
"""Share of the dirty rows that bots make up, rounded to whole bots: a small log has none."""
BOT_MINUTES: Final = 4
BOT_EVENTS_PER_MINUTE: Final = 150

CorruptRow = Callable[[LogRow, np.random.Generator], LogRow]


def _exact_duplicate(row: LogRow, random: np.random.Generator) -> LogRow:
    return row


def _near_duplicate(row: LogRow, random: np.random.Generator) -> LogRow:
    again = row.with_fields(event_id=row.fields[0] + "-again")
    return again.at(row.time_ms + int(random.integers(20, 900)))


def _unknown_item(row: LogRow, random: np.random.Generator) -> LogRow:
    return row.with_fields(event_id=row.fields[0] + "-gone", item_id=f"gone{random.integers(10_000)}")


def _clock_skew(row: LogRow, random: np.random.Generator) -> LogRow:
    wrong = int(random.integers(0, DAY_MS)) + (
        0 if random.random() < 0.5 else 4_070_908_800_000
    )  # 1970 or 2099
    text = row.at(wrong).fields
    return LogRow(time_ms=row.time_ms, fields=(row.fields[0] + "-skew", *text[1:]))


def _malformed(row: LogRow, random: np.random.Generator) -> LogRow:
    row = row.with_fields(event_id=row.fields[0] + "-bad")
    match int(random.integers(6)):
        case 0:
            return LogRow(time_ms=row.time_ms, fields=row.fields[: int(random.integers(1, 5))])
        case 1:
            return LogRow(time_ms=row.time_ms, fields=(*row.fields, "utm=mail", "1"))
        case 2:
            return row.with_fields(time="yesterday")
        case 3:
            return row.with_fields(user_id="")
        case 4:
            return row.with_fields(item_id="")
        case _:
            return row.with_fields(kind="hover")


DIRTY_ROWS: Final[dict[str, tuple[float, CorruptRow]]] = {
    "exact_duplicate": (0.30, _exact_duplicate),
    "near_duplicate": (0.20, _near_duplicate),
    "unknown_item": (0.15, _unknown_item),
    "clock_skew": (0.15, _clock_skew),
    "malformed": (0.20, _malformed),
}
"""Kinds of dirty rows besides those of bots: share of the kind, and how it changes the copy of a clean row."""


def add_dirty_rows(
    rows: list[LogRow], config: DemoDataConfig, random: np.random.Generator
) -> tuple[list[LogRow], dict[str, int]]:
    """The rows with dirty ones among them in order of time, and the number of dirty rows of each kind."""
    num_dirty = (
        config.num_events * config.dirty_share - num_bots(config) * BOT_MINUTES * BOT_EVENTS_PER_MINUTE
    )
    per_clean_row = num_dirty / (config.num_events * (1 - config.dirty_share))
    num = int(random.binomial(len(rows), min(per_clean_row, 1.0)))
    counts = random.multinomial(num, [share for share, _ in DIRTY_ROWS.values()])
    dirty = []
    for (_, corrupt), count in zip(DIRTY_ROWS.values(), counts.tolist(), strict=True):
        dirty += [corrupt(rows[place], random) for place in random.integers(0, len(rows), count).tolist()]
    mixed = sorted([*rows, *dirty], key=lambda row: row.time_ms)
    return mixed, dict(zip(DIRTY_ROWS, counts.tolist(), strict=True))


def num_bots(config: DemoDataConfig) -> int:
    """Number of bots in the log."""
    return round(BOT_SHARE * config.dirty_share * config.num_events / (BOT_MINUTES * BOT_EVENTS_PER_MINUTE))


def bot_events(config: DemoDataConfig, seed: int, bot: int) -> ShopEvents:
    """Events of one bot, which clicks through the catalogue at an inhuman rate; its index follows those of the
    users."""
    random = stream(seed, "bot", bot)
    num = BOT_MINUTES * BOT_EVENTS_PER_MINUTE
    start = int(random.integers(log_start_ms(config.days), LOG_END_MS - DAY_MS // 24))
    gaps = random.integers(300, 500, num)  # 150 a minute
    return ShopEvents(
        user=np.full(num, config.num_users + bot),
        item=(random.integers(config.num_items) + np.arange(num)) % config.num_items,
        kind=np.full(num, KIND_CODES["click"]),
        time=start + np.cumsum(gaps),
        session=np.zeros(num, np.int64),
        position=np.full(num, -1),
        number=np.arange(num),
    )
