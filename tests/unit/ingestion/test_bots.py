import numpy as np

from visrec.ingestion.rules import bots

MINUTE = 60_000


def test_three_fast_minutes_make_a_bot() -> None:
    def events(user: int, minutes: list[int], count: int) -> list[tuple[int, int]]:
        return [(user, minute * MINUTE + k) for minute in minutes for k in range(count)]

    rows = np.array(
        events(0, [0, 5, 9], 4)  # three minutes over the rate
        + events(1, [0, 5, 9], 3)  # at the rate
        + events(2, [0, 5], 50)  # two wild minutes
        + events(3, [0], 4)
        + events(3, [1], 4)
        + events(3, [2], 4)
        + events(4, list(range(100)), 1)
    )
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    assert bots(rows[:, 0].astype(np.int32), rows[:, 1], 3).tolist() == [True, False, False, True, False]


def test_no_events() -> None:
    assert bots(np.zeros(0, np.int32), np.zeros(0, np.int64), 1).tolist() == []
