"""The kinds of events, and what each is worth."""

from typing import Literal, get_args

EventKind = Literal[
    "view", "click", "like", "share", "comment", "cart", "purchase", "skip", "dislike", "hide"
]

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
"""All kinds, in the order of their codes: the code of a kind in the files is its place here."""

NEGATIVE_KINDS: frozenset[EventKind] = frozenset({"skip", "dislike", "hide"})
"""Kinds that say a user does not want the item."""

DEFAULT_WEIGHTS: dict[EventKind, float] = {
    "view": 0.2,
    "click": 1.0,
    "like": 2.0,
    "share": 2.0,
    "comment": 1.5,
    "cart": 3.0,
    "purchase": 4.0,
    "skip": -0.5,
    "dislike": -1.0,
    "hide": -1.0,
}
"""Strength of each kind. Above 0: a positive, part of a user's sequence. Below 0: a negative.
Exactly 0: kept as an impression, neither of the two."""
