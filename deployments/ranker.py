"""The ranker: candidates become the final list, filtered by rule, put in order by the learned ranker where the release
has one (else by the two towers' score), and made diverse.
"""

import numpy as np
from numpy.typing import NDArray

from visrec.deployments.loaded import ReleaseActor
from visrec.ranking.features import RankingQuery, candidate_features
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.ranker import Ranker as LearnedRanker
from visrec.ranking.user_state import UserState
from visrec.recommend.mmr import mmr_order
from visrec.recommend.types import Candidates, Ranked, Rules
from visrec.releases import PopularItems, Release, ReleaseCatalogue

MAX_DIVERSIFIED = 1000
"""Candidates that MMR looks at; those behind keep their order."""
POPULAR_BLOCK = 4096


class Ranker:
    """Ranks with the catalogue of one release.

    Example:
        >>> ranker = Ranker.load(release)                                           # doctest: +SKIP
        >>> ranker.rank(candidates, Rules(max_price=20), 10, diversity=0.1).items   # doctest: +SKIP
    """

    def __init__(
        self,
        catalogue: ReleaseCatalogue,
        vectors_ID: NDArray[np.float32],
        popularity: PopularItems,
        learned: tuple[LearnedRanker, ItemFeatures] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._vectors_ID = vectors_ID
        self._popularity = popularity
        self._learned = learned

    @classmethod
    def load(cls, release: Release) -> "Ranker":
        """From a release."""
        return cls(release.catalogue, release.item_vectors, release.popularity, release.ranker())

    def rank(
        self,
        candidates: Candidates,
        rules: Rules,
        k: int,
        diversity: float = 0.0,
        past: UserState | None = None,
    ) -> Ranked:
        """The best `k` candidates that the rules allow; fewer where there are no more.

        Args:
            candidates: Best first.
            rules: What may be shown.
            k: Length of the list.
            diversity: Weight of difference.
            past: What is known of the user, for the learned ranker; None leaves the order as it is.
        """
        allowed = self._allowed(candidates.items, rules)
        items, scores = candidates.items[allowed], candidates.scores[allowed]
        if past is not None and self._learned is not None:
            items, scores = self._ordered(items, scores, past, *self._learned)
        head = slice(0, max(k, MAX_DIVERSIFIED))
        order = mmr_order(scores[head], self._vectors_ID[items[head]], k, diversity)
        return Ranked(items=items[order], scores=scores[order])

    @staticmethod
    def _ordered(
        items: NDArray[np.int32],
        scores: NDArray[np.float32],
        past: UserState,
        ranker: LearnedRanker,
        item_features: ItemFeatures,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Items and scores, best first: as many as the ranker was trained on in its order, the others behind them."""
        head = slice(0, ranker.num_candidates)
        query = RankingQuery(
            item_features=item_features,
            user=past.last(ranker.max_history),
            items_M=items[head],
            scores_M=scores[head],
            pool_P=scores[head],
        )
        features_MF = candidate_features(query, ranker.names)
        ranked = np.concatenate(ranker.rescore(features_MF, scores[ranker.num_candidates :]))
        order = np.argsort(-ranked, kind="stable")
        return items[order], ranked[order]

    def popular(self, rules: Rules, k: int) -> Ranked:
        """The most popular `k` items that the rules allow; the score is the estimate of events a week."""
        found = np.empty(0, np.int64)
        for start in range(0, len(self._popularity.items), POPULAR_BLOCK):
            block = self._popularity.items[start : start + POPULAR_BLOCK]
            found = np.r_[found, start + np.flatnonzero(self._allowed(block, rules))]
            if len(found) >= k:
                break
        return Ranked(
            items=self._popularity.items[found[:k]], scores=self._popularity.events_per_week[found[:k]]
        )

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


class RankerDeployment(ReleaseActor[Ranker]):
    """The ranker as a Serve deployment."""

    def __init__(self, workspace: str, release: str) -> None:
        super().__init__(workspace, release, Ranker.load)

    def rank(
        self,
        release: str,
        candidates: Candidates,
        rules: Rules,
        k: int,
        diversity: float,
        past: UserState | None = None,
    ) -> Ranked:
        """See `Ranker.rank`."""
        return self._releases.get(release).rank(candidates, rules, k, diversity, past)

    def popular(self, release: str, rules: Rules, k: int) -> Ranked:
        """See `Ranker.popular`."""
        return self._releases.get(release).popular(rules, k)
