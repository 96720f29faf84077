import numpy as np

from visrec.ingestion.rules import bots

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


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
    found, unrated = bots(rows[:, 0].astype(np.int32), rows[:, 1], 3)
    assert found.tolist() == [True, False, False, True, False]
    assert not unrated.any()


def test_no_events() -> None:
    found, unrated = bots(np.zeros(0, np.int32), np.zeros(0, np.int64), 1)
    assert (found.tolist(), unrated.tolist()) == ([], [])


def _judge(times: list[int], rate: float) -> tuple[bool, bool]:
    found, unrated = bots(np.zeros(len(times), np.int32), np.array(times), rate)
    return bool(found[0]), bool(unrated[0])


def _busy_days(num: int, *, start: int = 0) -> list[int]:
    return [start + day * DAY for day in (0, 1, 5) for _ in range(num)]


def test_days_as_times_tell_no_rate_a_minute() -> None:
    assert _judge(_busy_days(130), 120) == (False, True)
    assert _judge(_busy_days(130, start=-19_800_000), 120) == (False, True)  # midnight at +05:30
    assert _judge(_busy_days(50), 120) == (False, False)
    # More than the rate allows in a whole day: over the span that the times tell it is a bot all the same.
    assert _judge(_busy_days(1441), 1) == (True, False)
    assert _judge(_busy_days(1440), 1) == (False, True)


def test_days_among_exact_times_tell_no_rate() -> None:
    exact = [hour * HOUR + k * 17 * SECOND for hour in range(30) for k in range(3)]
    assert _judge(_busy_days(130) + exact, 120) == (False, True)
    by_minute = [hour * HOUR + k * MINUTE for hour in range(30) for k in range(3)]
    assert _judge(_busy_days(130) + by_minute, 120) == (False, True)
    bot = [9 * HOUR + minute * MINUTE + k * 400 for minute in range(3) for k in range(140)]
    assert _judge(_busy_days(130) + bot, 120) == (True, False)


def test_batches_of_one_moment_tell_no_rate() -> None:
    batches = [HOUR * k * k + 12_345 + 7 * SECOND * k for k in (1, 2, 3, 4) for _ in range(200)]
    assert _judge(batches, 120) == (False, True)


def test_whole_minutes_tell_a_rate_a_minute() -> None:
    assert _judge([minute * MINUTE for minute in (0, 1, 5) for _ in range(130)], 120) == (True, False)
    assert _judge([minute * 5 * MINUTE for minute in (0, 1, 5) for _ in range(130)], 120) == (False, True)
