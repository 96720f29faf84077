from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from visrec.ingestion.time_patterns import parse_compact, parse_pattern

EPOCH, MILLISECOND = datetime(1970, 1, 1), timedelta(milliseconds=1)


def _read(texts: list[str], pattern: str) -> list[int | None]:
    times, readable = parse_pattern(pa.array(texts, pa.string()), pattern)
    return [int(t) if ok else None for t, ok in zip(times, readable, strict=True)]


def _expected(text: str, pattern: str) -> int | None:
    try:
        return (datetime.strptime(text, pattern) - EPOCH) // MILLISECOND
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%d/%m/%Y", "01/02/2023", "2023-02-01"),
        ("%m/%d/%Y", "01/02/2023", "2023-01-02"),
        ("%d.%m.%Y %H:%M", "1.2.2023 7:05", "2023-02-01T07:05"),
        ("%Y/%m/%d %H:%M:%S.%f", "2023/02/01 07:05:09.25", "2023-02-01T07:05:09.250"),
        ("%m/%d/%y %I:%M %p", "2/1/23 7:05 PM", "2023-02-01T19:05"),
        ("%d %b %Y", "1 Feb 2023", "2023-02-01"),
        ("%Y", "1503", "1503-01-01"),
        ("%Y%m%d", "20240229", "2024-02-29"),
        ("%Y-%m-%d %H:%M %z", "2023-02-01 07:05 +0200", "2023-02-01T05:05"),
        ("%d/%m/%Y", "29/02/2023", None),
        ("%d/%m/%Y", "31/13/2023", None),
        ("%d/%m/%Y", "1/2/2023 10:00", None),
        ("%d/%m/%Y", "1/2/23", None),
        ("%d/%m/%Y", "", None),
        ("%H:%M %d/%m/%Y", "24:00 1/2/2023", None),
        ("(%Y) [%m]", "(2023) [02]", "2023-02-01"),
    ],
)
def test_known_answers(pattern: str, text: str, expected: str | None) -> None:
    moment = None if expected is None else (datetime.fromisoformat(expected) - EPOCH) // MILLISECOND
    assert _read([text, "?", text], pattern) == [moment, None, moment]


@given(
    st.lists(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)), max_size=5),
    st.sampled_from(["%d/%m/%Y %H:%M:%S", "%Y%m%d%H%M%S", "%m-%d-%Y", "%Y.%m.%d %H:%M:%S.%f", "%Y %B %d %H"]),
)
def test_agrees_with_strptime(moments: list[datetime], pattern: str) -> None:
    texts = [moment.strftime(pattern) for moment in moments]
    assert _read(texts, pattern) == [_expected(text, pattern) for text in texts]


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
@example(2024, 2, 29, 23, 59)
@example(1900, 2, 29, 0, 0)
def test_dates_outside_of_the_calendar_are_unreadable(
    year: int, month: int, day: int, hour: int, minute: int
) -> None:
    text = f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"
    assert _read([text], "%Y-%m-%d %H:%M") == [_expected(text, "%Y-%m-%d %H:%M")]


def test_compact_dates() -> None:
    texts = [
        "20230101",
        "202301012222",
        "20230101222245",
        "20230101222245123",
        "2023010122",
        "20231301",
        "15030101",
    ]
    times, readable = parse_compact(pa.array(texts))
    assert readable.tolist() == [True, True, True, True, False, False, True]
    shown = times[readable].astype("datetime64[ms]").astype(str).tolist()
    assert [text[:-4] for text in shown] == [
        "2023-01-01T00:00:00",
        "2023-01-01T22:22:00",
        "2023-01-01T22:22:45",
        "2023-01-01T22:22:45",
        "1503-01-01T00:00:00",
    ]
    assert times[3] % 1000 == 123


def test_no_values() -> None:
    for pattern in ("%d/%m/%Y", "%d %b %Y"):
        times, readable = parse_pattern(pa.array([], pa.string()), pattern)
        assert (times.dtype, len(times), readable.dtype) == (np.dtype(np.int64), 0, np.dtype(bool))
