"""Patterns of dates as people write them, tried on all values of a column."""

from collections.abc import Sequence
from datetime import datetime
from itertools import product

_DATES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *(
        "%d/%m/%y",
        "%m/%d/%y",
        "%d.%m.%y",
        "%d %b %Y",
        "%d-%b-%Y",
        "%d %B %Y",
        "%b %d, %Y",
        "%B %d, %Y",
        "%m %d, %Y",
    ),
    *("%Y-%m-%d", "%d-%b-%y"),
)
_CLOCKS = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H")
_JOINTS = (" ", ", ", "T")
_WHOLE = (
    "%a %b %d %H:%M:%S %z %Y",
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
)
_MAX_VALUES = 2000

PATTERNS = (
    *(
        date if not clock else f"{date}{joint}{clock}"
        for date, clock, joint in product(_DATES, _CLOCKS, _JOINTS)
    ),
    *_WHOLE,
)


def formats_of(values: Sequence[str]) -> list[str]:
    """The patterns that read all of some texts: several where the order of day and month cannot be told.

    Example:
        >>> formats_of(["31/01/2023 10:15", "01/02/2023 09:00"])
        ['%d/%m/%Y %H:%M']
        >>> formats_of(["03/04/2023"])
        ['%d/%m/%Y', '%m/%d/%Y']
    """
    distinct = list(dict.fromkeys(values))[:_MAX_VALUES]
    found = list(dict.fromkeys(PATTERNS)) if distinct else []
    for value in distinct:
        found = [pattern for pattern in found if _reads(pattern, value)]
        if not found:
            break
    return found


def _reads(pattern: str, value: str) -> bool:
    try:
        return 1970 <= datetime.strptime(value, pattern).year < 2100
    except ValueError:
        return False
