"""Logging policy: the recommender of the demo shop, under which the interaction log is collected.

Each page mixes five sources in random order. A draw costs O(log(items)): items are kept with cumulative sums of their
popularity, once in order of arrival and once in order of design and arrival, so that an item can be drawn by popularity
from those in stock at a time with a binary search.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.demo.catalogue import ShopCatalogue

PAGE_LENGTH: Final = 12
SOURCES: Final = {"taste": 0.55, "popular": 0.18, "random": 0.15, "new": 0.07, "again": 0.05}
"""Share of each source in a page: items of predicted taste, popular items, random items (exploration), new arrivals,
and items with an earlier positive of the user. `demo_data.popularity_weight` moves the first to the second."""
GUESS_TEMPERATURE: Final = 3.5
GUESS_NOISE: Final = 0.7
"""Standard deviation of the noise on the user's worths, from which designs are then sampled by softmax."""
NEW_SHARE: Final = 0.03
"""Share of the items in stock, the newest ones, that count as new arrivals."""


def source_shares(popularity_weight: float) -> dict[str, float]:
    """Share of each source in a page at a `demo_data.popularity_weight`."""
    moved = popularity_weight * SOURCES["taste"]
    return {**SOURCES, "taste": SOURCES["taste"] - moved, "popular": SOURCES["popular"] + moved}


def exposure(
    worth_UI: NDArray[np.float32],
    design_I: NDArray[np.int64],
    popularity_I: NDArray[np.float64],
    in_stock_UI: NDArray[np.bool_],
    *,
    popularity_weight: float,
) -> NDArray[np.float64]:
    """Expected share of each item in the places of a page, without those that show an item again: float64 [U, I].

    An approximation: the noise of the guessed worths is left out, and within a design popularity counts as if all of
    its items were in stock.

    Args:
        worth_UI: Worth of each item's design to each user, in log-odds.
        design_I: Design of each item.
        popularity_I: Weight of each item in the popular source.
        in_stock_UI: Which items are in stock; the last of them, in order of the items, are the new arrivals.
        popularity_weight: Setting of the shop.
    """
    shares = source_shares(popularity_weight)
    in_design_I = popularity_I / np.bincount(design_I, popularity_I)[design_I]
    guess_UI = np.exp((worth_UI - worth_UI.max(axis=1, keepdims=True)) / GUESS_TEMPERATURE) * in_design_I
    num_in_stock_U1 = in_stock_UI.sum(axis=1, keepdims=True)
    num_new_U1 = np.maximum((NEW_SHARE * num_in_stock_U1).astype(np.int64), 1)
    newest_UI = np.arange(len(design_I)) >= num_in_stock_U1 - num_new_U1
    parts = {"taste": guess_UI, "popular": popularity_I, "random": 1.0, "new": newest_UI}
    shown_UI = np.zeros(in_stock_UI.shape)
    for source, part in parts.items():
        weights_UI = in_stock_UI * part
        shown_UI += shares[source] * weights_UI / np.maximum(weights_UI.sum(axis=1, keepdims=True), 1e-300)
    return shown_UI


class LoggingPolicy:
    """Draws pages of item indices for users.

    Example:
        >>> policy = LoggingPolicy(catalogue)                                                    # doctest: +SKIP
        >>> policy.page(worth_D, time_ms, reacted=[], hidden=set(), random=random)       # doctest: +SKIP
    """

    def __init__(self, catalogue: ShopCatalogue, *, popularity_weight: float = 0.0) -> None:
        self._shares = list(source_shares(popularity_weight).values())
        self._created = catalogue.created_at
        self._popularity_before = np.r_[0.0, np.cumsum(catalogue.popularity)]
        order = np.lexsort((np.arange(len(catalogue)), catalogue.design_of_item))
        self._by_design = order.astype(np.int64)
        self._design_begin = np.searchsorted(
            catalogue.design_of_item[order], np.arange(len(catalogue.designs))
        )
        design_of_place = catalogue.design_of_item[order]
        self._design_before = np.r_[0.0, np.cumsum(catalogue.popularity[order])]
        self._num_items = len(catalogue)
        # One ascending key a place: first by design, then by arrival (item indices are in order of arrival).
        self._keys = design_of_place.astype(np.int64) * self._num_items + self._by_design

    def page(
        self,
        worth_D: NDArray[np.float32],
        time_ms: int,
        *,
        reacted: list[int],
        hidden: set[int],
        random: np.random.Generator,
    ) -> list[int]:
        """At most `PAGE_LENGTH` different items that are in stock at `time_ms` and not hidden, in order of position.

        Args:
            worth_D: Worth of each design to the user at this time, in log-odds.
            time_ms: Time of the page, in milliseconds since 1970.
            reacted: Items with a positive of this user, which may be shown again.
            hidden: Items that only the source of earlier positives may show.
            random: Random stream of the user.
        """
        num_in_stock = max(int(np.searchsorted(self._created, time_ms, side="right")), 1)
        counts = dict(zip(SOURCES, random.multinomial(2 * PAGE_LENGTH, self._shares), strict=True))
        drawn = [
            self._by_taste(worth_D, num_in_stock, counts["taste"], random),
            self._by_popularity(num_in_stock, counts["popular"], random),
            random.integers(0, num_in_stock, counts["random"]),
            num_in_stock - 1 - random.integers(0, max(int(NEW_SHARE * num_in_stock), 1), counts["new"]),
        ]
        candidates = [item for item in np.concatenate(drawn).tolist() if item not in hidden]
        if reacted:
            candidates += [reacted[place] for place in random.integers(0, len(reacted), counts["again"])]
        mixed = [candidates[place] for place in random.permutation(len(candidates))]
        return list(dict.fromkeys(mixed))[:PAGE_LENGTH]

    def _by_taste(
        self, worth_D: NDArray[np.float32], num_in_stock: int, num: int, random: np.random.Generator
    ) -> NDArray[np.int64]:
        guess = worth_D + GUESS_NOISE * random.standard_normal(len(worth_D), np.float32)
        running = np.cumsum(np.exp((guess - guess.max()) / GUESS_TEMPERATURE))
        designs = np.searchsorted(running, random.random(num) * running[-1])
        begin = self._design_begin[designs]
        end = np.searchsorted(self._keys, designs * self._num_items + num_in_stock)
        in_stock = end > begin  # the first item of a design may be yet to arrive
        begin, end = begin[in_stock], end[in_stock]
        low, high = self._design_before[begin], self._design_before[end]
        places = (
            np.searchsorted(self._design_before, low + random.random(len(low)) * (high - low), side="right")
            - 1
        )
        items: NDArray[np.int64] = self._by_design[np.clip(places, begin, end - 1)]
        return items

    def _by_popularity(self, num_in_stock: int, num: int, random: np.random.Generator) -> NDArray[np.int64]:
        drawn = random.random(num) * self._popularity_before[num_in_stock]
        places = np.searchsorted(self._popularity_before, drawn, side="right") - 1
        items: NDArray[np.int64] = np.minimum(places, num_in_stock - 1)
        return items
