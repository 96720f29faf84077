"""Delimiter of a text file, found from its first lines: the one that splits all of them into as many fields."""

import re
from collections.abc import Sequence

SINGLE = (",", "\t", ";", "|")
LONG = ("::", "||", ";;", "|~|", "~|~", "^|^", "^^", "~~", "<>")
"""Delimiters of several characters."""

_EVEN = 0.9
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]")
"""A JSON list in a cell, whose commas are not between cells."""

_NUMBER_OR_TIME = re.compile(r"[-+.:/ TZ\d]*\d[-+.:/ TZ\d]*")

_HINT = re.compile(r'"?sep=(.+?)"?', re.IGNORECASE)


def hinted_delimiter(line: str) -> str | None:
    """Delimiter that a first line such as `sep=;` names, as spreadsheets write it; None for another line.

    Example:
        >>> hinted_delimiter("sep=;"), hinted_delimiter("user;item")
        (';', None)
    """
    match = _HINT.fullmatch(line.strip("\r\n "))
    return match[1] if match else None


def find_delimiter(lines: Sequence[str], num_fields: int | None = None) -> str:
    """Delimiter of some lines, the header first.

    One of several characters is taken where it splits nine of ten lines evenly; else the single one that splits most.
    Of two that split all lines into the same number of fields, it is the one whose fields are numbers, times and words.

    Args:
        lines: Whole lines, none of them blank.
        num_fields: How many fields each has, where that is known.

    Example:
        >>> find_delimiter(["user;item;price", "u1;i7;1,50", "u1;i8;2,00"])
        ';'
        >>> find_delimiter(["9::16::3", "9::6::5"])
        '::'
    """
    bare = [_IN_BRACKETS.sub("x", _QUOTED.sub("x", line)) for line in lines]
    for delimiter in LONG:
        doubled = delimiter != delimiter[0] * 2 or all(_only_doubled(line, delimiter) for line in bare)
        if doubled and _evenness(bare, delimiter, num_fields)[0] >= _EVEN:
            return delimiter
    rated = {delimiter: _evenness(bare, delimiter, num_fields) for delimiter in SINGLE}
    best = max(rated.values())
    if not best[1]:
        return ","
    return max((d for d in SINGLE if rated[d] == best), key=lambda d: _plausibility(bare, d))


def _evenness(lines: Sequence[str], delimiter: str, num_fields: int | None) -> tuple[float, int]:
    """Share of the lines with as many fields as expected, or else as the first line; delimiters of the first line."""
    counts = [line.count(delimiter) for line in lines]
    if not counts or not counts[0]:
        return 0.0, 0
    if num_fields is None:
        return sum(count == counts[0] for count in counts) / len(counts), counts[0]
    # Every row may end with a delimiter.
    expected = num_fields if all(line.endswith(delimiter) for line in lines) else num_fields - 1
    return sum(count == expected for count in counts) / len(counts), counts[0]


def _plausibility(lines: Sequence[str], delimiter: str) -> int:
    """Number of fields that are numbers or times, less those that are empty."""
    fields = [field.strip() for line in lines for field in line.split(delimiter)]
    return sum(_NUMBER_OR_TIME.fullmatch(field) is not None for field in fields) - fields.count("")


def _only_doubled(line: str, delimiter: str) -> bool:
    return line.count(delimiter[0]) == 2 * line.count(delimiter)
