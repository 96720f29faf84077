"""What goes wrong in real logs. All dirt is added to the clean rows, so what users really did stays whole."""

from collections.abc import Callable
from typing import Final

import numpy as np

from visrec.config import DemoDataConfig
from visrec.demo.calendar import DAY_MS, LOG_END_MS, log_start_ms
from visrec.demo.log import Row
from visrec.demo.randomness import stream
from visrec.demo.sessions import CODES, Events

BOT_SHARE: Final = 0.35
"""Most of the dirt that bots may make up: a small log has no room for one."""
BOT_MINUTES: Final = 4
BOT_EVENTS_PER_MINUTE: Final = 150

Spoil = Callable[[Row, np.random.Generator], Row]


def _exact_duplicate(row: Row, random: np.random.Generator) -> Row:
    return row


def _near_duplicate(row: Row, random: np.random.Generator) -> Row:
    again = row.with_fields(event_id=row.fields[0] + "-again")
    return again.at(row.time_ms + int(random.integers(20, 900)))


def _unknown_item(row: Row, random: np.random.Generator) -> Row:
    return row.with_fields(event_id=row.fields[0] + "-gone", item_id=f"gone{random.integers(10_000)}")


def _clock_skew(row: Row, random: np.random.Generator) -> Row:
    wrong = int(random.integers(0, DAY_MS)) + (
        0 if random.random() < 0.5 else 4_070_908_800_000
    )  # 1970 or 2099
    text = row.at(wrong).fields
    return Row(row.time_ms, (row.fields[0] + "-skew", *text[1:]))


def _malformed(row: Row, random: np.random.Generator) -> Row:
    row = row.with_fields(event_id=row.fields[0] + "-bad")
    match int(random.integers(6)):
        case 0:
            return Row(row.time_ms, row.fields[: int(random.integers(1, 5))])
        case 1:
            return Row(row.time_ms, (*row.fields, "utm=mail", "1"))
        case 2:
            return row.with_fields(time="yesterday")
        case 3:
            return row.with_fields(user_id="")
        case 4:
            return row.with_fields(item_id="")
        case _:
            return row.with_fields(kind="hover")


KINDS: Final[dict[str, tuple[float, Spoil]]] = {
    "exact_duplicate": (0.30, _exact_duplicate),
    "near_duplicate": (0.20, _near_duplicate),
    "unknown_item": (0.15, _unknown_item),
    "clock_skew": (0.15, _clock_skew),
    "malformed": (0.20, _malformed),
}
"""Each kind of dirt but bots: its share of what bots leave, and how a copy of a row is spoilt."""


def add_dirt(
    rows: list[Row], config: DemoDataConfig, random: np.random.Generator
) -> tuple[list[Row], dict[str, int]]:
    """The rows with dirt between them, in order of time, and how many rows of each kind of dirt."""
    dirty_rows = config.num_events * config.dirt - num_bots(config) * BOT_MINUTES * BOT_EVENTS_PER_MINUTE
    per_clean_row = dirty_rows / (config.num_events * (1 - config.dirt))
    num = int(random.binomial(len(rows), min(per_clean_row, 1.0)))
    counts = random.multinomial(num, [share for share, _ in KINDS.values()])
    dirt = []
    for (_, spoil), count in zip(KINDS.values(), counts.tolist(), strict=True):
        dirt += [spoil(rows[place], random) for place in random.integers(0, len(rows), count).tolist()]
    mixed = sorted([*rows, *dirt], key=lambda row: row.time_ms)
    return mixed, dict(zip(KINDS, counts.tolist(), strict=True))


def num_bots(config: DemoDataConfig) -> int:
    """How many bots the log has room for."""
    return round(BOT_SHARE * config.dirt * config.num_events / (BOT_MINUTES * BOT_EVENTS_PER_MINUTE))


def bot_events(config: DemoDataConfig, seed: int, bot: int) -> Events:
    """One bot that clicks through the catalogue at an inhuman rate; its user number follows those of the users."""
    random = stream(seed, "bot", bot)
    num = BOT_MINUTES * BOT_EVENTS_PER_MINUTE
    start = int(random.integers(log_start_ms(config.days), LOG_END_MS - DAY_MS // 24))
    gaps = random.integers(300, 500, num)  # 150 a minute
    return Events(
        user=np.full(num, config.num_users + bot),
        item=(random.integers(config.num_items) + np.arange(num)) % config.num_items,
        kind=np.full(num, CODES["click"]),
        time=start + np.cumsum(gaps),
        session=np.zeros(num, np.int64),
        position=np.full(num, -1),
        number=np.arange(num),
    )
