from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visrec.config.ingest import TimeUnit
from visrec.errors import DataError
from visrec.ingestion.times import digits_lost, parse_iso, parse_times, small_numbers

MOMENT = 1_700_000_000_123  # 2023-11-14T22:13:20.123Z


def _times(values: list[Any], kind: Any, unit: TimeUnit = "auto") -> list[int | None]:
    times, readable = parse_times(pa.array(values, kind), unit)
    return [int(t) if ok else None for t, ok in zip(times, readable, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1700000000", MOMENT - 123),
        ("1700000000.123", MOMENT),
        ("1.7e9", None),  # a spreadsheet wrote it
        ("1.700000000e9", MOMENT - 123),
        ("1.700000000123E+12", MOMENT),
        ("1.67E+12", None),
        ("1700000000123", MOMENT),
        ("1700000000123456", MOMENT),
        ("1700000000123456789", MOMENT),
        (" +1700000000123 ", MOMENT),
        ("2023-11-14T22:13:20.123Z", MOMENT),
        ("2023-11-14 22:13:20.123", MOMENT),
        ("2023-11-14T22:13:20.123456789Z", MOMENT),
        ("2023-11-15T00:13:20.123+02:00", MOMENT),
        ("2023-11-14", 1_699_920_000_000),
        ("2023-11-14 22:13:20 UTC", MOMENT - 123),
        ("2023-11-14 22:13:20.123 UTC", MOMENT),
        ("2023-11-14 22:13:20.123456789 UTC", MOMENT),
        ("2023-11-14T22:13:20.123GMT", MOMENT),
        ("2023-11-14 22:13:20 utc", MOMENT - 123),
        ("2023-11-14 22:13:20 +0000 UTC", MOMENT - 123),
        ("2023-11-14 22:13:20.123+00:00 GMT", MOMENT),
        ("2023-11-15 00:13:20.123 +02:00", MOMENT),
        ("2023-11-14 18:43:20 -0330", MOMENT - 123),
        ("2023-11-15 00:13:20+02", MOMENT - 123),
        ("2023-11-14 UTC", 1_699_920_000_000),
        ("2023-11-14Z", 1_699_920_000_000),
        ("2023-11-14 22:13:20 +0200 UTC", None),
        ("2023-11-14 22:13:20 EST", None),
        ("2023-11-14 22:13:20 CET", None),
        ("14/11/2023 22:13:20 UTC", None),
        ("-5", -5000),
        ("1969-12-31T23:59:59Z", -1000),
        ("", None),
        (None, None),
        ("yesterday", None),
        ("2023-13-01", None),
        ("nan", None),
        ("1e400", None),
        ("9" * 40, None),
    ],
)
def test_text(text: str | None, expected: int | None) -> None:
    assert _times([text], pa.string()) == [expected]
    # the same among values that need the slow way
    assert _times(["2023-11-15T00:13:20+02:00", text, "?"], pa.string())[1] == expected


@pytest.mark.parametrize(
    ("unit", "value"), [("s", 12), ("ms", 12_000), ("us", 12_000_000), ("ns", 12 * 10**9)]
)
def test_units_by_name(unit: TimeUnit, value: int) -> None:
    assert _times([value], pa.int64(), unit) == [12_000]
    assert _times([str(value)], pa.string(), unit) == [12_000]
    assert _times([float(value)], pa.float64(), unit) == [12_000]
    assert _times(["2023-11-14"], pa.string(), unit) == [None]


def test_iso_only() -> None:
    assert _times(["1700000000", "2023-11-14T22:13:20.123Z"], pa.string(), "iso8601") == [None, MOMENT]
    assert _times([1, 20231114, None], pa.int64(), "iso8601") == [None, 1_699_920_000_000, None]


def test_types_of_parquet() -> None:
    moment = datetime(2023, 11, 14, 22, 13, 20, 123_000)
    for unit in ("ms", "us", "ns"):
        assert _times([moment, None], pa.timestamp(unit)) == [MOMENT, None]
        assert _times([moment.replace(tzinfo=UTC)], pa.timestamp(unit, "Europe/Berlin")) == [MOMENT]
    assert _times([moment], pa.timestamp("s")) == [MOMENT - 123]
    assert _times([date(2023, 11, 14)], pa.date32()) == [1_699_920_000_000]
    assert _times([MOMENT // 1000, None, -5], pa.int32()) == [MOMENT - 123, None, -5000]
    assert _times([float("nan"), float("inf"), 1.7e9], pa.float64()) == [None, None, MOMENT - 123]
    with pytest.raises(
        DataError, match="expected times as text, numbers or timestamps, got a column of bool"
    ):
        _times([True], pa.bool_())


def test_out_of_range_seconds_do_not_wrap_around() -> None:
    assert _times([2**62], pa.int64(), "s") == [None]


def test_a_moment_before_the_calendar_is_none() -> None:
    assert parse_iso("0001-01-01 00:00:00 +02:00") is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))
def test_iso_agrees_with_the_standard_library(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1)) // (datetime(1970, 1, 1, 0, 0, 0, 1000) - datetime(1970, 1, 1))
    assert parse_iso(moment.isoformat()) == expected
    assert _times([moment.isoformat() + "Z"], pa.string()) == [expected]


@pytest.mark.parametrize("zone", [" UTC", " GMT", "Z", " Z", " +0000 UTC", "+00:00", " +00:00", ""])
@given(moments=st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), min_size=1, max_size=5))
def test_a_column_of_one_form_reads_like_each_of_its_values(zone: str, moments: list[datetime]) -> None:
    texts = [f"{moment}{zone}" for moment in moments]
    expected = [(moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1) for moment in moments]
    assert _times(texts, pa.string()) == [parse_iso(text) for text in texts] == expected


def test_compact_dates_where_the_unit_says_so() -> None:
    texts = ["20230101", " 20230101222245 ", "202301012222", "2023-01-01", "20231301", "1672531200"]
    expected = [1_672_531_200_000, 1_672_611_765_000, 1_672_611_720_000, 1_672_531_200_000, None, None]
    assert _times(texts, pa.string(), "iso8601") == expected
    assert _times([20230101, 20230101222245], pa.int64(), "iso8601") == expected[:2]
    assert _times([20230101.0, 20230101.5, float("nan")], pa.float64(), "iso8601") == [
        expected[0],
        None,
        None,
    ]
    assert _times(["20230101"], pa.string()) == [20_230_101_000]  # auto guesses no date


def test_excel_serials() -> None:
    at = 1_672_525_365_408  # 2022-12-31T22:22:45.408Z; day 44926 is 2022-12-31
    assert _times(["44926.93247", "44927"], pa.string(), "excel") == [at, 1_672_531_200_000]
    assert _times([44926.93247], pa.float64(), "excel") == [at]
    assert _times([25569, 1, None], pa.int64(), "excel") == [0, -25_568 * 86_400_000, None]


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)))
def test_excel_serials_are_exact_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    expected = (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    assert _times([serial], pa.float64(), "excel") == [expected]
    assert _times([repr(serial)], pa.string(), "excel") == [expected]


def test_times_since_a_start() -> None:
    origin = 1_672_531_200_000
    for unit, values in (("s", [0, 11530]), ("ms", [0, 11_530_000])):
        times, readable = parse_times(pa.array(values), unit, origin=origin)  # type: ignore[arg-type]
        assert times.tolist() == [origin, origin + 11_530_000]
        assert readable.all()
    assert parse_times(pa.array(["0.5", "x"]), "s", origin=origin)[0].tolist() == [origin + 500, 0]


def test_a_pattern_reads_text_and_whole_numbers() -> None:
    for column in (pa.array(["1503"]), pa.array([1503]), pa.array([1503.0])):
        times, readable = parse_times(column, "auto", pattern="%Y")
        assert (times.tolist(), readable.tolist()) == ([-14_737_161_600_000], [True])


def test_digits_lost_by_a_spreadsheet_or_by_small_floats() -> None:
    texts = [
        "1.67E+12",
        "1.672531200123E+12",
        "1.6725312E+09",
        "1.672531200e9",
        "4.4927E+04",
        "1e-5",
        "x",
        None,
    ]
    assert digits_lost(pa.array(texts)).tolist() == [True, False, True, False, False, False, False, False]
    assert digits_lost(pa.array([1.67e9, 44927.5], pa.float32())).tolist() == [True, False]
    assert _times([1.67e9, 44927.5], pa.float32(), "s") == [None, 44_927_500]
    assert not digits_lost(pa.array([1.67e12])).any()


def test_small_numbers() -> None:
    texts = ["1503", "0", "20230101", "-5", "1672531200", "1965-01-01", "", None, "+7.5"]
    assert small_numbers(pa.array(texts)).tolist() == [True, True, True, *[False] * 5, True]
    assert small_numbers(pa.array([1503, None, -5, 10**9])).tolist() == [True, False, False, False]
    assert not small_numbers(pa.array([datetime(1970, 1, 2)])).any()


_FORMS = [
    *(
        "2023-01-01",
        "2023-02-30",
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13",
        "2023-11-14 22:13:20.1",
        "2023-11-14T25:00Z",
    ),
    *(
        "2023-11-14 22:13:20 UTC",
        "2023-11-14 22:13:20.5 +0000 UTC",
        "2023-11-14 22:13:20 +0530",
        "2023-11-14T22:13-08",
    ),
    *("soon", "2023-11-14 22:13:20 EST", "1503-01-01", "2023-W01-1", "2023-11-14T22:13:20.123456789Z"),
]


@given(values=st.lists(st.sampled_from(_FORMS), min_size=1, max_size=8))
def test_columns_of_several_forms_are_read_as_each_value_by_itself(values: list[str]) -> None:
    times, readable = parse_times(pa.array(values), "iso8601")
    expected = [parse_iso(value) for value in values]
    assert [int(t) if ok else None for t, ok in zip(times, readable, strict=True)] == expected
