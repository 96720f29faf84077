from typing import Any

import pytest

from visrec.ingestion.quarantine import Reason
from visrec.ingestion.time_notes import TimeNotes
from visrec.ingestion.times import parse_iso

NOTES: dict[str, Any] = {
    "setting": "log",
    "unit": "auto",
    "pattern": None,
    "origin": 0,
    "min_time": parse_iso("1990-01-01"),
}
EARLY = "earlier than ingest.cleaning.min_time 1990-01-01T00:00:00Z"
SINCE = "for times since a start set log.time_origin and log.time_unit"


@pytest.mark.parametrize(
    ("value", "time", "expected"),
    [
        ("0", 0, f" was taken for seconds: 1970-01-01T00:00:00Z, {EARLY}; {SINCE}"),
        (
            "44927.93",
            44_927_930,
            f" was taken for seconds: 1970-01-01T12:28:47.930000Z, {EARLY}; "
            f"it looks like an Excel serial date: set log.time_unit: excel; {SINCE}",
        ),
        (
            "1503",
            1_503_000,
            f" was taken for seconds: 1970-01-01T00:25:03Z, {EARLY}; "
            f"for years set log.time_format: '%Y'; {SINCE}",
        ),
        (
            "20230101.0",
            20_230_101_000,
            f" was taken for seconds: 1970-08-23T03:28:21Z, {EARLY}; "
            "for compact dates set log.time_unit: iso8601",
        ),
        (
            "1965-02-03",
            -154_656_000_000,
            f" is 1965-02-06T00:00:00Z, {EARLY}; if it is right, set ingest.cleaning.min_time",
        ),
    ],
)
def test_too_early(value: str, time: int, expected: str) -> None:
    assert TimeNotes(**NOTES).explain(Reason.IMPOSSIBLE_TIME, value, time) == expected


def test_a_unit_that_is_set_and_a_start() -> None:
    notes = TimeNotes(**{**NOTES, "unit": "ms"})
    assert notes.explain(Reason.IMPOSSIBLE_TIME, "1672531200", 1_672_531_200) == (
        f" was taken for milliseconds: 1970-01-20T08:35:31.200000Z, {EARLY}; "
        "if numbers are of another unit, set log.time_unit"
    )
    notes = TimeNotes(**{**NOTES, "unit": "s", "origin": 86_400_000})
    assert notes.explain(Reason.IMPOSSIBLE_TIME, "5", 86_405_000) == (
        f" was taken for seconds since 1970-01-02T00:00:00Z: 1970-01-02T00:00:05Z, {EARLY}; "
        "if numbers are of another unit, set log.time_unit"
    )


def test_a_far_future() -> None:
    assert TimeNotes(**NOTES).explain(Reason.FUTURE_TIME, "20230101222245", 20_230_101_222_245) == (
        " was taken for milliseconds: 2611-01-25T16:33:42.245000Z, later than the present; "
        "for compact dates set log.time_unit: iso8601"
    )


def test_small_numbers_where_min_time_would_allow_them() -> None:
    notes = TimeNotes(**{**NOTES, "min_time": parse_iso("1400-01-01")})
    assert notes.explain(Reason.IMPOSSIBLE_TIME, "1503", 1_503_000) == (
        " was taken for seconds: 1970-01-01T00:25:03Z, as small numbers are taken for no time by auto; "
        f"for years set log.time_format: '%Y'; {SINCE}"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            "01/02/2023",
            " is ambiguous: '%d/%m/%Y' reads 2023-02-01 (day first), '%m/%d/%Y' reads 2023-01-02 (month first): "
            "set log.time_format",
        ),
        (
            "13.02.2023 10:05",
            " is no ISO 8601 time; its pattern may be '%d.%m.%Y %H:%M': set log.time_format",
        ),
        (
            "2/13/23 1:05:07 PM",
            " is no ISO 8601 time; its pattern may be '%m/%d/%y %I:%M:%S %p': set log.time_format",
        ),
        ("2023/02/13", " is no ISO 8601 time; its pattern may be '%Y/%m/%d': set log.time_format"),
        (
            "2023-02-13 10:05:00 EST",
            " has a name of a zone, of which only UTC, GMT and Z are read: names mean several zones each; "
            "write an offset such as +02:00, or set log.time_format",
        ),
        ("soon", " is no ISO 8601 time; other forms can be read by log.time_format"),
        ("", ""),
    ],
)
def test_text_that_is_no_time(value: str, expected: str) -> None:
    assert TimeNotes(**NOTES).explain(Reason.BAD_TIME, value, 0) == expected


def test_text_that_does_not_fit_the_settings() -> None:
    by_pattern = TimeNotes(**{**NOTES, "pattern": "%d/%m/%Y"})
    assert by_pattern.explain(Reason.BAD_TIME, "1/2/23", 0) == " does not match log.time_format '%d/%m/%Y'"
    seconds = TimeNotes(**{**NOTES, "unit": "s"})
    assert seconds.explain(Reason.BAD_TIME, "2023-01-01T05:00", 0) == (
        " is no number, as log.time_unit: s expects; for ISO 8601 set iso8601"
    )
    assert seconds.explain(Reason.BAD_TIME, "9" * 30, 0) == " is outside of what log.time_unit: s can hold"


def test_digits_lost() -> None:
    assert " has lost digits: a spreadsheet" in TimeNotes(**NOTES).explain(
        Reason.TIME_DIGITS_LOST, "1.67E+12", 0
    )
