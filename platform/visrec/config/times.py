"""Text of a time, ISO 8601 or one of the forms that databases and spreadsheets print, to a moment."""

import re
from datetime import UTC, datetime, timedelta

ZONE_NAME = r"\s*(?i:utc|gmt|z)$"
"""End of a time that names the zone UTC, alone or after an offset of zero: `05:24:39 UTC`, `05:24:39 +0000 UTC`."""

BLANK_BEFORE_OFFSET = r"(:[0-9.,]+)\s+([-+][0-9]{2}(:?[0-9]{2})?)$"
"""End of a time whose offset stands apart: `05:24:39 +02:00`. Its first two groups belong together."""

_ZONE_NAME = re.compile(ZONE_NAME)
_BLANK_BEFORE_OFFSET = re.compile(BLANK_BEFORE_OFFSET)


def parse_moment(text: str) -> datetime | None:
    """The moment of a text, in UTC; None for other text.

    Without a zone it is UTC. `UTC`, `GMT` and `Z` may follow the time, with a blank or without one, also after an
    offset of zero. Other names of zones mean several zones each, and are not read.

    Example:
        >>> parse_moment("2023-01-01 05:24:39 UTC"), parse_moment("2023-01-01 05:24:39 EST")
        (datetime.datetime(2023, 1, 1, 5, 24, 39, tzinfo=datetime.timezone.utc), None)
    """
    text = text.strip()
    unnamed = _ZONE_NAME.sub("", text)
    try:
        moment = datetime.fromisoformat(_BLANK_BEFORE_OFFSET.sub(r"\1\2", unnamed))
    except ValueError:
        return None
    offset = moment.utcoffset()
    if offset is None:
        return moment.replace(tzinfo=UTC)
    if unnamed != text and offset:  # an offset, and the name of another zone
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at an end of the calendar, the moment in UTC lies outside
        return None


def format_moment(moment: datetime) -> str:
    """A moment in UTC as ISO 8601 text that ends in Z, the same for each text of the moment."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def format_milliseconds(time: int) -> str:
    """Milliseconds since 1970 as ISO 8601 text; as a number where they lie outside of the calendar.

    Example:
        >>> format_milliseconds(1_672_531_200_000), format_milliseconds(10**17)
        ('2023-01-01T00:00:00Z', '100000000000000000 ms since 1970')
    """
    try:
        return format_moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time))
    except OverflowError:
        return f"{time} ms since 1970"


def iso_setting(text: str | None) -> str | None:
    """The one form of a setting that is an ISO 8601 time.

    Raises:
        ValueError: It is no such time.
    """
    if text is None:
        return None
    moment = parse_moment(text)
    if moment is None:
        raise ValueError(f"expected an ISO 8601 time such as 1990-01-01T00:00:00Z, got {text!r}")
    return format_moment(moment)


def strptime_setting(pattern: str | None) -> str | None:
    """A setting that is a pattern of `strptime`, unchanged.

    Raises:
        ValueError: It is no such pattern, or has no year.
    """
    if pattern is None:
        return None
    directives = re.findall(r"%(.)", pattern)
    if not {"Y", "y", "G", "c", "x"} & set(directives):
        raise ValueError(f"expected a pattern with a year such as %d/%m/%Y, got {pattern!r}")
    try:
        datetime.strptime(datetime(2000, 1, 1, tzinfo=UTC).strftime(pattern), pattern)
    except (ValueError, re.error) as error:
        raise ValueError(
            f"expected a pattern of strptime such as %d/%m/%Y, got {pattern!r}: {error}"
        ) from None
    return pattern
