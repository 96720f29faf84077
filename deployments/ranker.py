"""The ranker: candidates become the final list, filtered by rule and made diverse; the score is the two towers'."""

import numpy as np
from numpy.typing import NDArray

from visrec.deployments.loaded import PartDeployment
from visrec.deployments.messages import Candidates, Ranked, Rules
from visrec.deployments.mmr import mmr_order
from visrec.releases import Catalogue, Release
from visrec.releases.popularity import Popularity

MAX_DIVERSIFIED = 1000
"""Candidates that MMR looks at; those behind keep their order."""
POPULAR_BLOCK = 4096


class Ranker:
    """Ranks with the catalogue of one release.

    Example:
        >>> ranker = Ranker.load(release)                                           # doctest: +SKIP
        >>> ranker.rank(candidates, Rules(max_price=20), 10, diversity=0.1).items   # doctest: +SKIP
    """

    def __init__(self, catalogue: Catalogue, vectors_ID: NDArray[np.float32], popularity: Popularity) -> None:
        self._catalogue = catalogue
        self._vectors_ID = vectors_ID
        self._popularity = popularity

    @classmethod
    def load(cls, release: Release) -> "Ranker":
        """From a release."""
        return cls(release.catalogue, release.item_vectors, release.popularity)

    def rank(self, candidates: Candidates, rules: Rules, k: int, diversity: float = 0.0) -> Ranked:
        """The best `k` candidates that the rules allow; fewer where there are no more."""
        allowed = self._allowed(candidates.items, rules)
        items, scores = candidates.items[allowed], candidates.scores[allowed]
        head = slice(0, max(k, MAX_DIVERSIFIED))
        order = mmr_order(scores[head], self._vectors_ID[items[head]], k, diversity)
        return Ranked(items[order], scores[order])

    def popular(self, rules: Rules, k: int) -> Ranked:
        """The most popular `k` items that the rules allow; the score is the estimate of events a week."""
        found = np.empty(0, np.int64)
        for start in range(0, len(self._popularity.items), POPULAR_BLOCK):
            block = self._popularity.items[start : start + POPULAR_BLOCK]
            found = np.r_[found, start + np.flatnonzero(self._allowed(block, rules))]
            if len(found) >= k:
                break
        return Ranked(self._popularity.items[found[:k]], self._popularity.events_per_week[found[:k]])

    def _allowed(self, items: NDArray[np.int32], rules: Rules) -> NDArray[np.bool_]:
        allowed = ~np.isin(items, rules.exclude)
        if rules.available_only:
            allowed &= self._catalogue.available[items]
        if rules.include_categories:
            allowed &= self._catalogue.has_any_category(items, rules.include_categories)
        if rules.exclude_categories:
            allowed &= ~self._catalogue.has_any_category(items, rules.exclude_categories)
        if rules.min_price is not None:
            allowed &= self._catalogue.prices[items] >= rules.min_price
        if rules.max_price is not None:
            allowed &= self._catalogue.prices[items] <= rules.max_price
        return allowed


class RankerDeployment(PartDeployment[Ranker]):
    """The ranker as a Serve deployment."""

    def __init__(self, workspace: str, release: str) -> None:
        super().__init__(workspace, release, Ranker.load)

    def rank(self, release: str, candidates: Candidates, rules: Rules, k: int, diversity: float) -> Ranked:
        """See `Ranker.rank`."""
        return self._releases.get(release).rank(candidates, rules, k, diversity)

    def popular(self, release: str, rules: Rules, k: int) -> Ranked:
        """See `Ranker.popular`."""
        return self._releases.get(release).popular(rules, k)
