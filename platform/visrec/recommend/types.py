"""Values of the pipeline: frozen, passed between its caller and its stages, between processes where these are apart.

Callers name items by id (`HistoryEvent`, `RecommendOptions`); the stages know item indices only.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from visrec.config import EVENT_KINDS, EventKind
from visrec.ranking.user_state import UserState

Source = Literal["user", "history", "popular", "item", "picture"]
"""Basis of a list: the stored history of a known user, the history of the request, popularity, an item, a picture."""
IndexName = Literal["scores", "similar"]
"""Index of a release: scores of the two towers for a user's vector, or visual similarity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEvent:
    """One event of a user's history, as a caller gives it.

    Attributes:
        item_id: Id of the item.
        kind: Event kind; None takes the release's most frequent one.
        time: A time without a zone is UTC; None lets the pipeline space the events a minute apart, up to now.

    Raises:
        ValueError: There is no such kind.
    """

    item_id: str
    kind: EventKind | None = None
    time: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in EVENT_KINDS:
            raise ValueError(f"expected an event kind ({', '.join(EVENT_KINDS)}), got {self.kind!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Hard constraints on the items of a list.

    Attributes:
        available_only: Leave out unavailable items.
        include_categories: At least one of these; empty allows all.
        exclude_categories: None of these.
        min_price: Lowest price; items without a price are left out.
        max_price: Highest price; items without a price are left out.
        exclude: Item indices that are left out, such as those seen.

    Raises:
        ValueError: A price is below 0, or the lowest is above the highest.
    """

    available_only: bool = True
    include_categories: frozenset[str] = frozenset()
    exclude_categories: frozenset[str] = frozenset()
    min_price: float | None = None
    max_price: float | None = None
    exclude: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def __post_init__(self) -> None:
        for name, price in (("min_price", self.min_price), ("max_price", self.max_price)):
            if price is not None and not price >= 0:
                raise ValueError(f"expected {name} of at least 0, got {price:g}")
        if self.min_price is not None and self.max_price is not None and self.min_price > self.max_price:
            raise ValueError(f"min_price {self.min_price:g} is above max_price {self.max_price:g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class RecommendOptions:
    """Settings of one request.

    Attributes:
        k: Length of the list.
        rules: Hard constraints on its items.
        diversity: Weight of dissimilarity in MMR, 0 to 1. None takes the config's weight for a user's list, and 0 for
            similar items.
        exclude_seen: Leave out the items of the user's history.

    Raises:
        ValueError: `k` is below 1, or `diversity` is not from 0 to 1.
    """

    k: int = 10
    rules: Rules = field(default_factory=Rules)
    diversity: float | None = None
    exclude_seen: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.k, int) or self.k < 1:
            raise ValueError(f"expected k as a whole number of at least 1, got {self.k!r}")
        if self.diversity is not None and not 0 <= self.diversity <= 1:
            raise ValueError(f"expected diversity from 0 to 1, got {self.diversity:g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event of a user's history, as the encoder reads it.

    Attributes:
        item: Item index.
        kind: Event kind; None takes the release's most frequent one.
        time: Milliseconds since 1970, UTC.
    """

    item: int
    kind: EventKind | None
    time: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UserQuery:
    """A user as the retriever and the list builder need them.

    Attributes:
        vector_D: Query for the index `scores`; None without a positive event.
        seen: Items of the user's events, positive or not: int32 [S].
        source: Where the history came from; `popular` without one.
        user_state: Input of the learned ranker; None where the release has none, or without a history.
    """

    vector_D: NDArray[np.float32] | None
    seen: NDArray[np.int32]
    source: Source
    user_state: UserState | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Retrieved items, best first.

    Attributes:
        items: int32 [M].
        scores: float32 [M].
        exhausted: Whether the index holds no further item, so that a larger request would bring nothing new.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    exhausted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """Items of the final list, best first.

    Attributes:
        items: int32 [K].
        scores: float32 [K].
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
