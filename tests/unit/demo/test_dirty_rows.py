from collections import Counter

import numpy as np
import pytest

from visrec.config import DemoDataConfig
from visrec.demo.log import COLUMNS, DIRTY_ROWS, LogRow, add_dirty_rows, bot_events, num_bots

CONFIG = DemoDataConfig(num_events=10_000, dirty_share=0.1)
CLEAN = [
    LogRow(
        time_ms=k,
        fields=(f"e{k}", f"u{k % 50}", f"i{k % 70}", "click", "2024-11-01T10:00:00.000Z", "s1", "3"),
    )
    for k in range(1_730_000_000_000, 1_730_000_000_000 + 9_000_000, 1000)
]


def test_dirt_comes_in_the_promised_share_on_top_of_the_clean_rows() -> None:
    rows, counts = add_dirty_rows(CLEAN, CONFIG, np.random.default_rng(0))
    assert num_bots(CONFIG) == 1
    assert len(rows) - len(CLEAN) == sum(counts.values())
    assert sum(counts.values()) + 600 == pytest.approx(1000, rel=0.2)  # 600 rows are the bot's
    assert set(CLEAN) <= set(rows)
    assert [row.time_ms for row in rows] == sorted(row.time_ms for row in rows)
    assert set(counts) == set(DIRTY_ROWS)
    assert min(counts.values()) > 30


def test_each_kind_of_dirt_is_what_its_name_says() -> None:
    row, random = CLEAN[0], np.random.default_rng(0)
    spoilt = {name: [spoil(row, random) for _ in range(50)] for name, (_, spoil) in DIRTY_ROWS.items()}
    assert spoilt["exact_duplicate"] == [row] * 50
    for again in spoilt["near_duplicate"]:
        assert again.fields[1:4] == row.fields[1:4]
        assert again.fields[0] != row.fields[0]
        assert 0 < again.time_ms - row.time_ms < 1000
    assert {again.fields[2][:4] for again in spoilt["unknown_item"]} == {"gone"}
    assert {again.fields[4][:4] for again in spoilt["clock_skew"]} == {"1970", "2099"}
    lengths = Counter(len(again.fields) == len(COLUMNS) for again in spoilt["malformed"])
    assert min(lengths.values()) > 5
    assert len({again.fields[1:] for again in spoilt["malformed"]}) > 5


def test_a_bot_is_too_fast_for_a_human_for_minutes() -> None:
    times = bot_events(CONFIG, 0, 0).time
    minutes = np.bincount((times - times[0]) // 60_000)
    assert (minutes[:3] > 120).all()


def test_without_dirt_the_log_is_clean() -> None:
    clean = DemoDataConfig(num_events=10_000, dirty_share=0)
    rows, counts = add_dirty_rows(CLEAN, clean, np.random.default_rng(0))
    assert rows == CLEAN
    assert sum(counts.values()) == num_bots(clean) == 0
