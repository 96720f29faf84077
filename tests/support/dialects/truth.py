"""Tables of truth: events and items that dialects write and that ingest has to read back."""

import string
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

KINDS = ("view", "click", "cart", "purchase")
_START = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())
_END = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
_WORD = string.ascii_letters + string.digits + "-_.~ éß日ж'"
_AWKWARD = _WORD + '",;|\t:&/#%[]{}\\'
# The canonical text of an id: what is a number, missing or blank in another reading is a kind of its own, or left out.
_MISSING = {"nan", "null", "none", "na", "n/a", "\\n", "nil", ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event.

    Attributes:
        user: Canonical text of the user's id.
        item: Likewise of the item.
        kind: One of `KINDS`.
        time: Seconds since 1970.
        note: Text of a column that is not mapped, such as a comment.
    """

    user: str
    item: str
    kind: str
    time: int
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One item of the catalogue; `price` in hundredths."""

    item: str
    title: str
    categories: tuple[str, ...]
    price: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """Events and the items that they are about.

    Attributes:
        id_kind: Form of all ids: `number`, `zeros` (leading zeros), `long` (beyond 2^53), `word`, `awkward`, `uuid`.
        events: In the order of the log.
        items: In the order of the catalogue.
    """

    id_kind: str
    events: tuple[Event, ...]
    items: tuple[Item, ...]


def ids(kind: str) -> st.SearchStrategy[str]:
    """Canonical ids of a kind."""
    return {
        "number": st.integers(0, 10**9).map(str),
        "zeros": st.integers(0, 999_999).map(lambda n: f"{n:07d}"),
        "long": st.integers(2**53, 2**63 - 1).map(str),
        "word": _texts(_WORD),
        "awkward": _texts(_AWKWARD),
        "uuid": st.uuids().map(str),
    }[kind]


def _texts(alphabet: str) -> st.SearchStrategy[str]:
    return (
        st.text(alphabet, min_size=1, max_size=12)
        .map(str.strip)
        .filter(lambda text: text.lower() not in _MISSING and any(c.isalpha() for c in text))
    )


def notes() -> st.SearchStrategy[str]:
    """Free text with all that confuses a reader: delimiters, quotes, line breaks."""
    words = st.sampled_from(
        [
            "fine",
            '"Paris", a view',
            '5" nails',
            "a, b",
            "two\nlines",
            "tab\there",
            "x;y|z",
            "",
            "déjà vu",
            "'",
            "::",
        ]
    )
    return st.one_of(words, st.text(_WORD, max_size=10).map(str.strip))


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Tables of truth with a few users and items."""
    kind = draw(st.sampled_from(["number", "zeros", "long", "word", "awkward", "uuid"]))
    item_ids = draw(st.lists(ids(kind), min_size=2, max_size=6, unique_by=str.lower))
    user_ids = draw(st.lists(ids(kind), min_size=1, max_size=4, unique_by=str.lower))
    event = st.builds(
        Event,
        user=st.sampled_from(user_ids),
        item=st.sampled_from(item_ids),
        kind=st.sampled_from(KINDS),
        time=st.integers(_START, _END),
        note=notes(),
    )
    items = tuple(
        Item(
            item=item,
            title=draw(notes()),
            categories=tuple(draw(st.lists(st.sampled_from(["A", "B c", "Ü"]), max_size=3, unique=True))),
            price=draw(st.integers(1, 10**6)),
        )
        for item in item_ids
    )
    return Truth(id_kind=kind, events=tuple(draw(st.lists(event, min_size=1, max_size=12))), items=items)
