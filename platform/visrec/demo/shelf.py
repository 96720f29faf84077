"""What the shop shows: the logging policy. Each page mixes five sources, in random order.

All draws cost the logarithm of the catalogue's size: items are kept with running sums of their popularity, once by
arrival and once by design and arrival, so that "popular among those there at time t" is a search in a stretch of them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.demo.catalogue import Catalogue

PAGE_LENGTH: Final = 12
SOURCES: Final = {"taste": 0.55, "popular": 0.18, "random": 0.15, "new": 0.07, "again": 0.05}
"""Share of each source of a page: what the shop's own recommender guesses, what sells, exploration, arrivals, and what
the user reacted to before."""
GUESS_TEMPERATURE: Final = 3.5
GUESS_NOISE: Final = 0.7
"""The shop's recommender knows a user's worths only up to noise of this deviation, and samples."""
NEW_SHARE: Final = 0.03
"""The newest items, by share of those that are there, make up the arrivals."""


class Shelf:
    """Draws pages of item indices.

    Example:
        >>> shelf = Shelf(catalogue)                                                    # doctest: +SKIP
        >>> shelf.page(worth_D, time_ms, reacted=[], hidden=set(), random=random)       # doctest: +SKIP
    """

    def __init__(self, catalogue: Catalogue) -> None:
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
        # One rising key per place: first by design, then by arrival (item indices are in order of arrival).
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
        """At most `PAGE_LENGTH` different items that are there at `time_ms` and not `hidden`, in order of position.

        Args:
            worth_D: The user's worth of each design at this time.
            time_ms: Now.
            reacted: Items with a positive of this user, which may be shown again.
            hidden: Items not to be shown, `reacted` among them.
            random: Where the draws come from.
        """
        num_there = max(int(np.searchsorted(self._created, time_ms, side="right")), 1)
        counts = dict(zip(SOURCES, random.multinomial(2 * PAGE_LENGTH, list(SOURCES.values())), strict=True))
        drawn = [
            self._by_taste(worth_D, num_there, counts["taste"], random),
            self._by_popularity(num_there, counts["popular"], random),
            random.integers(0, num_there, counts["random"]),
            num_there - 1 - random.integers(0, max(int(NEW_SHARE * num_there), 1), counts["new"]),
        ]
        candidates = [item for item in np.concatenate(drawn).tolist() if item not in hidden]
        if reacted:
            candidates += [reacted[place] for place in random.integers(0, len(reacted), counts["again"])]
        mixed = [candidates[place] for place in random.permutation(len(candidates))]
        return list(dict.fromkeys(mixed))[:PAGE_LENGTH]

    def _by_taste(
        self, worth_D: NDArray[np.float32], num_there: int, num: int, random: np.random.Generator
    ) -> NDArray[np.int64]:
        guess = worth_D + GUESS_NOISE * random.standard_normal(len(worth_D), np.float32)
        running = np.cumsum(np.exp((guess - guess.max()) / GUESS_TEMPERATURE))
        designs = np.searchsorted(running, random.random(num) * running[-1])
        begin = self._design_begin[designs]
        end = np.searchsorted(self._keys, designs * self._num_items + num_there)
        there = end > begin  # a design whose first item is still to come has nothing to show
        begin, end = begin[there], end[there]
        low, high = self._design_before[begin], self._design_before[end]
        places = (
            np.searchsorted(self._design_before, low + random.random(len(low)) * (high - low), side="right")
            - 1
        )
        items: NDArray[np.int64] = self._by_design[np.clip(places, begin, end - 1)]
        return items

    def _by_popularity(self, num_there: int, num: int, random: np.random.Generator) -> NDArray[np.int64]:
        drawn = random.random(num) * self._popularity_before[num_there]
        places = np.searchsorted(self._popularity_before, drawn, side="right") - 1
        items: NDArray[np.int64] = np.minimum(places, num_there - 1)
        return items
