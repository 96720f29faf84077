"""Explanations of times that are rejected: how a value was understood, and which setting changes that."""

import re
from dataclasses import dataclass

from visrec.config.ingest import TimeUnit
from visrec.config.times import format_milliseconds, parse_moment
from visrec.ingestion.quarantine import Reason
from visrec.ingestion.times import AUTO_LIMITS, SMALLEST_AUTO

_UNIT_NAMES = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "excel": "an Excel serial date",
}
_COMPACT = re.compile(
    r"(1[0-9]|2[01])[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9]([0-9]{3})?)?)?"
)
_PARTS = re.compile(r"([0-9]{1,4})([/.-])([0-9]{1,2})\2([0-9]{1,4})(?:[ T,]+(.*))?")
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(\s*[AaPp][Mm])?")
_ZONE = re.compile(r".*:[0-9.]+\s*[-+]?[0-9:]*\s*(?![AaPp][Mm]$)[A-Za-z]{2,5}$")
_EXCEL_DAYS = 15_000, 80_000
"""Serial days of the years 1941 to 2119."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeNotes:
    """Writes the explanations for one log.

    Attributes:
        setting: Name of the log's setting.
        unit: Its `time_unit`.
        pattern: Its `time_format`.
        origin: Milliseconds from which numbers count.
        min_time: Milliseconds; earlier events are impossible.
    """

    setting: str
    unit: TimeUnit
    pattern: str | None
    origin: int
    min_time: int

    def explain(self, reason: Reason, value: str, time: int) -> str:
        """The rest of a sentence that begins with the value.

        Args:
            reason: Why the row is rejected.
            value: As it is in the log.
            time: Milliseconds that it was taken for; 0 where it is unreadable.

        Example:
            >>> notes = TimeNotes(setting="log", unit="auto", pattern=None, origin=0, min_time=631_152_000_000)
            >>> notes.explain(Reason.IMPOSSIBLE_TIME, "20230101", 20_230_101_000)
            ' was taken for seconds: 1970-08-23T03:28:21Z, earlier than ingest.cleaning.min_time 1990-01-01T00:00:00Z; \
for compact dates set log.time_unit: iso8601'
        """
        value = value.strip()
        if not value:
            return ""
        if reason == Reason.TIME_DIGITS_LOST:
            return (
                " has lost digits: a spreadsheet or a column of 32-bit floats has rounded it; "
                "export the times again with all digits, or as text"
            )
        if reason == Reason.BAD_TIME:
            return self._unreadable(value)
        number = _number(value)
        taken = (
            f" was taken for {self._unit_name(number)}: {format_milliseconds(time)}"
            if number is not None and not self.pattern and self.unit != "iso8601"
            else f" is {format_milliseconds(time)}"
        )
        if reason == Reason.FUTURE_TIME:
            bound, loosen = "later than the present", "ingest.cleaning.max_future_seconds"
        elif time < self.min_time:
            bound, loosen = (
                f"earlier than ingest.cleaning.min_time {format_milliseconds(self.min_time)}",
                "ingest.cleaning.min_time",
            )
        else:
            bound = "as small numbers are taken for no time by auto"
            loosen = f"{self.setting}.time_unit: s"
        hint = "" if number is None else self._hint_of_number(value, number)
        return f"{taken}, {bound}; {hint or f'if it is right, set {loosen}'}"

    def _unit_name(self, number: float) -> str:
        unit: str = self.unit
        if unit == "auto":
            unit = next((unit for unit, limit in AUTO_LIMITS if abs(number) < limit), "ns")
        since = f" since {format_milliseconds(self.origin)}" if self.origin else ""
        return _UNIT_NAMES.get(unit, unit) + since

    def _hint_of_number(self, value: str, number: float) -> str:
        whole = re.sub(r"\.0*$", "", value)
        if self.pattern:
            return ""
        if self.unit != "iso8601" and _COMPACT.fullmatch(whole):
            return f"for compact dates set {self.setting}.time_unit: iso8601"
        since = f"for times since a start set {self.setting}.time_origin and {self.setting}.time_unit"
        if self.unit != "excel" and _EXCEL_DAYS[0] <= number <= _EXCEL_DAYS[1]:
            return f"it looks like an Excel serial date: set {self.setting}.time_unit: excel; {since}"
        if self.unit == "auto" and 1000 <= number < 3000 and whole.isdigit():
            return f"for years set {self.setting}.time_format: '%Y'; {since}"
        if self.unit in ("auto", "s", "ms", "us", "ns") and not self.origin and 0 <= number < SMALLEST_AUTO:
            return since
        if self.unit != "auto":
            return f"if numbers are of another unit, set {self.setting}.time_unit"
        return ""

    def _unreadable(self, value: str) -> str:
        if self.pattern:
            return f" does not match {self.setting}.time_format {self.pattern!r}"
        number = _number(value)
        if number is not None:
            if self.unit == "iso8601":
                return (
                    " is no ISO 8601 time and no compact date (8, 12 or 14 digits); for numbers set "
                    f"{self.setting}.time_unit: auto, s, ms, us, ns or excel"
                )
            return f" is outside of what {self.setting}.time_unit: {self.unit} can hold"
        if _ZONE.match(value):
            return (
                " has a name of a zone, of which only UTC, GMT and Z are read: names mean several zones each; "
                f"write an offset such as +02:00, or set {self.setting}.time_format"
            )
        if self.unit not in ("auto", "iso8601") and parse_moment(value):
            return (
                f" is no number, as {self.setting}.time_unit: {self.unit} expects; for ISO 8601 set iso8601"
            )
        by_pattern = _pattern_of(value)
        if by_pattern:
            return f" {by_pattern}: set {self.setting}.time_format"
        return f" is no ISO 8601 time; other forms can be read by {self.setting}.time_format"


def _number(value: str) -> float | None:
    try:
        return float(value) if re.fullmatch(r"[-+0-9.eE]+", value) else None
    except ValueError:
        return None


def _pattern_of(value: str) -> str:
    """Which patterns of strptime a text of day, month and year may have; empty for other texts."""
    found = _PARTS.fullmatch(value)
    if not found:
        return ""
    first, mark, second, third, clock = found.groups()
    after = ""
    if clock:
        match = _CLOCK.fullmatch(clock.strip())
        if not match:
            return "has its date and clock in a form that is not read"
        half = bool(match[3])
        after = (" %I:%M" if half else " %H:%M") + (":%S" if match[1] else "") + (".%f" if match[2] else "")
        after += (" %p" if match[3][0].isspace() else "%p") if half else ""
    if len(first) == 4:
        return f"is no ISO 8601 time; its pattern may be '%Y{mark}%m{mark}%d{after}'"
    if len(third) not in (2, 4):
        return ""
    year = "%Y" if len(third) == 4 else "%y"
    day_first, month_first = f"'%d{mark}%m{mark}{year}{after}'", f"'%m{mark}%d{mark}{year}{after}'"
    if int(first) > 12:
        return f"is no ISO 8601 time; its pattern may be {day_first}"
    if int(second) > 12:
        return f"is no ISO 8601 time; its pattern may be {month_first}"
    shown = f"{third}-{second:0>2}-{first:0>2}", f"{third}-{first:0>2}-{second:0>2}"
    return f"is ambiguous: {day_first} reads {shown[0]} (day first), {month_first} reads {shown[1]} (month first)"
