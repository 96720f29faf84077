"""What travels between the deployments: plain frozen values, item indices and arrays, no ids and no HTTP."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from visrec.ranking.user_state import UserState

Source = Literal["user", "history", "popular"]
Space = Literal["scores", "similar"]
"""Index to search: what a user may like, or what looks alike."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that the user of a request did.

    Attributes:
        item: Item index.
        kind: Name of the event kind; None takes the release's usual one.
        time: Milliseconds since 1970, UTC.
    """

    item: int
    kind: str | None
    time: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UserQuery:
    """What the encoder knows of a user.

    Attributes:
        vector_D: Query for the index of scores; None where there is no history.
        seen: Items that the user had to do with: int32 [S].
        source: Where the history came from.
        past: What a learned ranker looks at; None where the release has none, or where there is no history.
    """

    vector_D: NDArray[np.float32] | None
    seen: NDArray[np.int32]
    source: Source
    past: UserState | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """Items that the retriever found, best first.

    Attributes:
        items: int32 [M].
        scores: float32 [M].
        complete: Whether there are no more: asking for a longer list gives nothing new.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    complete: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Which items may be shown.

    Attributes:
        available_only: Leave out what cannot be had.
        include_categories: At least one of these; empty allows all.
        exclude_categories: None of these.
        min_price: Items without a price do not reach it.
        max_price: Items without a price do not keep it.
        exclude: Item indices, such as those seen.
    """

    available_only: bool = True
    include_categories: frozenset[str] = frozenset()
    exclude_categories: frozenset[str] = frozenset()
    min_price: float | None = None
    max_price: float | None = None
    exclude: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """The final list, best first.

    Attributes:
        items: int32 [K].
        scores: float32 [K].
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
