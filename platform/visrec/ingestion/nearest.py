"""The id or name that is most like another one, for messages where two inputs do not meet."""

import difflib
import re
from collections.abc import Iterable, Sequence

from visrec.ingestion.ids import nfc
from visrec.ingestion.quarantine import Reason, RejectCounts

_EXAMPLE = re.compile(r"(.*?:\d+): (.*)", re.DOTALL)
"""Of a rejected row: its location, and the value in question."""
_MOST_COMPARED = 2_000
_SAME_END = 3


def nearest(name: str, others: Iterable[str]) -> str | None:
    """The name that is most like `name`, None where none is like it.

    The same name in another spelling comes first (Unicode form, case, leading zeros), then that which takes the fewest
    changes; of very many names only those with the same beginning or end are compared.

    Example:
        >>> nearest("108158013", ["0108158013", "108158014"]), nearest("x", ["0108158013"])
        ('0108158013', None)
    """
    names = others if isinstance(others, Sequence) else list(others)
    spelling = _spelling(name)
    for other in names:
        if other != name and _spelling(other) == spelling:
            return other
    compared = list(names) if len(names) <= _MOST_COMPARED else _with_same_end(name, names)
    close = difflib.get_close_matches(name, compared, n=1)
    return close[0] if close else None


def differs_by(a: str, b: str) -> str:
    """The difference between two spellings of one id, for messages; "" where they are two ids.

    Example:
        >>> differs_by("0108158013", "108158013"), differs_by("Shoe", "shoe"), differs_by("a", "b")
        ('leading zeros', 'upper and lower case', '')
    """
    if nfc(a) == nfc(b):
        return "Unicode form (NFC and NFD)"
    if nfc(a).casefold() == nfc(b).casefold():
        return "upper and lower case"
    if a.isdigit() and b.isdigit() and a.lstrip("0") == b.lstrip("0"):
        return "leading zeros"
    return ""


def unmet_id_note(item_id: str, others: Sequence[str], place: str) -> str:
    """Sentence on an id of the log that is not in the catalogue.

    Args:
        item_id: The id.
        others: All ids of the catalogue.
        place: Where they are from, such as `items.csv`.

    Example:
        >>> unmet_id_note("shoe", ["Shoe1"], "items.csv")
        "'shoe' is not in items.csv; did you mean 'Shoe1'?"
    """
    found = nearest(item_id, others)
    if found is None:
        example = f", which holds ids such as {others[0]!r}" if others else ""
        return f"{item_id!r} is not in {place}{example}"
    difference = differs_by(item_id, found)
    note = f"{item_id!r} is not in {place}; did you mean {found!r}?"
    if difference == "leading zeros" and len(found) > len(item_id):
        return f"{note} It differs in {difference}: set ingest.interactions.item_id_width: {len(found)}"
    if difference:
        written = f" ({item_id!a} and {found!a})" if difference.startswith("Unicode") else ""
        return f"{note} It differs in {difference}{written}: write ids alike in the log and the catalogue"
    return note


def explain_unknown_item(rejected: RejectCounts, ids: Sequence[str], place: str) -> None:
    """Say beside the example of an unknown item which id of the catalogue is the nearest.

    Args:
        rejected: Rejected rows of the logs; their example is changed.
        ids: All ids of the catalogue.
        place: Where they are from.
    """
    example = _EXAMPLE.fullmatch(rejected.examples.get(Reason.UNKNOWN_ITEM, ""))
    if example:
        location, item_id = example.groups()
        rejected.examples[Reason.UNKNOWN_ITEM] = f"{location}: {unmet_id_note(item_id, ids, place)}"


def _spelling(name: str) -> str:
    return nfc(name).casefold().lstrip("0")


def _with_same_end(name: str, names: Sequence[str]) -> list[str]:
    begin, end = name[:_SAME_END], name[-_SAME_END:]
    found = [other for other in names if other.startswith(begin) or other.endswith(end)]
    return found[:_MOST_COMPARED]
