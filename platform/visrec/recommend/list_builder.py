"""The list-builder stage: rules, learned ranking and diversity turn candidates into the final list.

Shape legend: M candidates, F features, K items of the list, D vector size, I items of the catalogue.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import unit_vectors
from visrec.ranking.features import RankingQuery, candidate_features
from visrec.ranking.user_state import UserState
from visrec.recommend.types import Candidates, Ranked, Rules
from visrec.releases import Release, ReleaseCatalogue
from visrec.releases.catalogue import PopularItems

if TYPE_CHECKING:  # sklearn, which comes with it, takes a second that releases without a ranker save
    from visrec.ranking.item_features import ItemFeatures
    from visrec.ranking.ranker import Ranker

MAX_DIVERSIFIED = 1000
"""Candidates that MMR compares; those behind keep their order."""
POPULAR_BLOCK = 4096
"""Popular items that are checked against the rules at a time."""


class ListBuilder:
    """Final lists with the catalogue of one release.

    Example:
        >>> builder = ListBuilder.load(release)                                             # doctest: +SKIP
        >>> builder.rank(candidates, Rules(max_price=20), k=10, diversity=0.1).items        # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        catalogue: ReleaseCatalogue,
        vectors_ID: NDArray[np.float32],
        popularity: PopularItems,
        learned: "tuple[Ranker, ItemFeatures] | None" = None,
    ) -> None:
        self._catalogue = catalogue
        self._vectors_ID = vectors_ID
        self._popularity = popularity
        self._learned = learned

    @classmethod
    def load(cls, release: Release) -> "ListBuilder":
        """From a release."""
        return cls(
            catalogue=release.catalogue,
            vectors_ID=release.item_vectors,
            popularity=release.popularity,
            learned=release.ranker(),
        )

    def rank(
        self,
        candidates: Candidates,
        rules: Rules,
        *,
        k: int,
        diversity: float = 0.0,
        user_state: UserState | None = None,
    ) -> Ranked:
        """The best `k` candidates that the rules allow; fewer where there are no more.

        Args:
            candidates: Best first.
            rules: Hard constraints.
            k: Length of the list.
            diversity: Weight of dissimilarity in MMR.
            user_state: The user, for the learned ranker; None keeps the retriever's order.
        """
        allowed = allowed_items(self._catalogue, candidates.items, rules)
        items, scores = candidates.items[allowed], candidates.scores[allowed]
        if user_state is not None and self._learned is not None:
            items, scores = _reranked(items, scores, user_state, *self._learned)
        head = slice(0, max(k, MAX_DIVERSIFIED))
        order = mmr_order(scores[head], self._vectors_ID[items[head]], k, diversity)
        return Ranked(items=items[order], scores=scores[order])

    def popular(self, rules: Rules, *, k: int) -> Ranked:
        """The most popular `k` items that the rules allow; the score is the estimated number of events a week."""
        found = np.empty(0, np.int64)
        for start in range(0, len(self._popularity.items), POPULAR_BLOCK):
            block = self._popularity.items[start : start + POPULAR_BLOCK]
            found = np.r_[found, start + np.flatnonzero(allowed_items(self._catalogue, block, rules))]
            if len(found) >= k:
                break
        return Ranked(
            items=self._popularity.items[found[:k]], scores=self._popularity.events_per_week[found[:k]]
        )


def allowed_items(catalogue: ReleaseCatalogue, items_M: NDArray[np.int32], rules: Rules) -> NDArray[np.bool_]:
    """Which of the items the rules allow: bool [M]."""
    allowed_M = ~np.isin(items_M, rules.exclude)
    if rules.available_only:
        allowed_M &= catalogue.available[items_M]
    if rules.include_categories:
        allowed_M &= catalogue.has_any_category(items_M, rules.include_categories)
    if rules.exclude_categories:
        allowed_M &= ~catalogue.has_any_category(items_M, rules.exclude_categories)
    if rules.min_price is not None:
        allowed_M &= catalogue.prices[items_M] >= rules.min_price
    if rules.max_price is not None:
        allowed_M &= catalogue.prices[items_M] <= rules.max_price
    return allowed_M


def mmr_order(
    scores_M: NDArray[np.float32], vectors_MD: NDArray[np.float32], k: int, diversity: float
) -> NDArray[np.int64]:
    """Maximal marginal relevance (Carbonell & Goldstein 1998): places of `k` candidates, picked one after the other.

    Each pick has the largest (1 - diversity) * relevance - diversity * similarity. Relevance is the score, scaled to
    0..1 over the candidates; similarity is the largest cosine to the items picked before. Ties go to the earlier
    candidate.

    Args:
        scores_M: Descending.
        vectors_MD: Of the candidates; any length.
        k: Most candidates to pick.
        diversity: 0 keeps the order by score, 1 compares similarity only.

    Example:
        >>> twins_and_another = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
        >>> mmr_order(np.array([3, 2, 1], np.float32), twins_and_another, 2, 0.6).tolist()
        [0, 2]
    """
    num = len(scores_M)
    if diversity == 0 or num == 0:
        return np.arange(min(k, num))
    spread = float(scores_M.max() - scores_M.min())
    relevance_M = (scores_M - scores_M.min()) / spread if spread > 0 else np.ones(num, np.float32)
    units_MD = unit_vectors(vectors_MD)
    picked = np.empty(min(k, num), np.int64)
    similarity_M = np.full(num, -1.0, np.float32)
    for place in range(len(picked)):
        value_M = (1 - diversity) * relevance_M - diversity * similarity_M if place else relevance_M.copy()
        value_M[picked[:place]] = -np.inf
        picked[place] = int(np.argmax(value_M))
        similarity_M = np.maximum(similarity_M, units_MD @ units_MD[picked[place]])
    return picked


def _reranked(
    items_M: NDArray[np.int32],
    scores_M: NDArray[np.float32],
    user_state: UserState,
    ranker: "Ranker",
    item_features: "ItemFeatures",
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Items and scores, best first: as many as the ranker was trained on in its order, the others behind them."""
    head = slice(0, ranker.num_candidates)
    query = RankingQuery(
        item_features=item_features,
        user=user_state.last(ranker.max_history),
        items_M=items_M[head],
        scores_M=scores_M[head],
        pool_P=scores_M[head],
    )
    features_MF = candidate_features(query, ranker.names)
    ranked_M = np.concatenate(ranker.rescore(features_MF, scores_M[ranker.num_candidates :]))
    order = np.argsort(-ranked_M, kind="stable")
    return items_M[order], ranked_M[order]
