"""Features of a user and some candidates: the one implementation that training, evaluation and serving share.

A feature whose source is missing (no prices, no impressions) is left out by name; a single missing value is NaN, which
the ranker replaces by the mean.

Shape suffixes: M candidates, P scores of the list, L positives of the history, R negatives, G categories, F features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS, HOUR_MS, unit_vectors
from visrec.ranking.attribute_features import (
    CATALOGUE_PRIOR,
    NEGATIVE_ATTRIBUTES,
    POSITIVE_ATTRIBUTES,
    RECENT_EVENTS,
    attribute_features,
    code_counts,
    mean_by_owner,
)
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.user_state import UserState

RECENT_DAYS = 7

MEMBER_SCORE = "score:"
"""Prefix of the features of a blend's members; the name of the member follows."""

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingQuery:
    """A user and the candidates to be ranked.

    Attributes:
        item_features: Of the whole catalogue.
        user: State of the user at the moment of the recommendation.
        items_M: Item indices of the candidates, int32.
        scores_M: Their retrieval scores, float32.
        pool_P: Retrieval scores of the list that the candidates are compared with, float32; usually their own.
    """

    item_features: ItemFeatures
    user: UserState
    items_M: NDArray[np.int32]
    scores_M: NDArray[np.float32]
    pool_P: NDArray[np.float32]


def candidate_features(query: RankingQuery, names: Sequence[str]) -> NDArray[np.float32]:
    """Features float32 [M, F] of the candidates.

    Args:
        query: User and candidates.
        names: Some of `available_features`, in the order of the columns.

    Example:
        >>> features_MF = candidate_features(query, ("score", "cosine_max"))            # doctest: +SKIP
    """
    if not len(query.items_M):
        return np.zeros((0, len(names)), np.float32)
    columns: Columns = {}
    for group, compute in _GROUPS.items():
        if any(name in names for name in group):
            columns |= compute(query)
    if any(name.startswith(MEMBER_SCORE) for name in names):
        columns |= _member_scores(query)
    return np.stack([np.asarray(columns[name], np.float32) for name in names], axis=1)


def available_features(items: ItemFeatures) -> tuple[str, ...]:
    """Those of `FEATURES` for which the catalogue and the log have a source."""
    missing: set[str] = set()
    if not len(items.categories.values):
        missing |= {"category_share", "category_recent", "category_lift", "refused_category"}
    if np.isnan(items.log_prices_I).all():
        missing |= {"price", "price_distance"}
    if np.isnan(items.created_I).all():
        missing |= {"age", "not_there"}
    if not len(items.attribute_share_A):
        missing |= {*POSITIVE_ATTRIBUTES, *NEGATIVE_ATTRIBUTES}
    if items.log_ctr_I is None:
        missing |= {"appeal", "refused", "viewed", "num_refused", "refused_cosine", "refused_category"}
        missing |= {*NEGATIVE_ATTRIBUTES}
    if items.members:
        missing |= {"bias"}  # zeros: the members' biases are coordinates of a blend's vectors
    named = tuple(name for name in FEATURES if name not in missing)
    return named + tuple(f"{MEMBER_SCORE}{name}" for name in items.members)


def _retrieval(query: RankingQuery) -> Columns:
    """Two-tower score, its distance from the best of the list, log of its rank, and the item's bias."""
    ascending = np.sort(query.pool_P)
    ahead_M = len(query.pool_P) - np.searchsorted(ascending, query.scores_M, side="right")
    return {
        "score": query.scores_M,
        "score_gap": query.scores_M - ascending[-1],
        "score_rank": np.log1p(ahead_M),
        "bias": query.item_features.biases_I[query.items_M],
    }


def _member_scores(query: RankingQuery) -> Columns:
    """Scores of a blend's members, in units of their standard deviation over the catalogue, times the weights."""
    query_D, vectors_ID = query.user.query_D, query.item_features.vectors_ID
    if query_D is None:
        raise ValueError(
            "expected the query vector of the user, for the scores of a blend's members; got none"
        )
    return {
        f"{MEMBER_SCORE}{name}": vectors_ID[query.items_M, columns] @ query_D[columns]
        for name, columns in query.item_features.members.items()
    }


def _attributes(query: RankingQuery) -> Columns:
    """See `attribute_features`."""
    return dict(attribute_features(query.item_features, query.user, query.items_M))


def _visual_similarity(query: RankingQuery) -> Columns:
    """Cosines of the item vectors to those of the history: largest, mean, largest to recent items."""
    cosines_ML = _cosines(query.item_features, query.items_M, query.user.items)
    if not cosines_ML.shape[1]:
        return dict.fromkeys(
            ("cosine_max", "cosine_mean", "cosine_recent"), np.full(len(query.items_M), np.nan)
        )
    return {
        "cosine_max": cosines_ML.max(1),
        "cosine_mean": cosines_ML.mean(1),
        "cosine_recent": cosines_ML[:, -RECENT_EVENTS:].max(1),
    }


def _co_occurrence(query: RankingQuery) -> Columns:
    """Log of the summed item-kNN similarity to the history, and to its recent items."""
    items, history = query.item_features, query.user.items
    owner, entries = items.neighbours.gather(history)
    neighbours = items.neighbours.values[entries]
    order = np.argsort(query.items_M)
    nearest = np.searchsorted(query.items_M, neighbours, sorter=order)
    positions = order[np.minimum(nearest, len(order) - 1)]
    hit = query.items_M[positions] == neighbours
    similarities, columns = items.similarities[entries[hit]], positions[hit]
    recent = owner[hit] >= len(history) - RECENT_EVENTS
    num = len(query.items_M)
    return {
        "neighbours": np.log1p(np.bincount(columns, similarities, num)),
        "neighbours_recent": np.log1p(np.bincount(columns[recent], similarities[recent], num)),
    }


def _categories(query: RankingQuery) -> Columns:
    """Share of the history, and of its recent items, in the candidate's categories; log lift over the catalogue."""
    items, history = query.item_features, query.user.items
    share_G, count_G = _category_shares(items, history)
    recent_G, _ = _category_shares(items, history[-RECENT_EVENTS:])
    prior_G = CATALOGUE_PRIOR * items.category_share_G
    lift_G = np.log((count_G + prior_G) / ((len(history) + CATALOGUE_PRIOR) * items.category_share_G))
    return {
        "category_share": _mean_over_categories(items, query.items_M, share_G),
        "category_recent": _mean_over_categories(items, query.items_M, recent_G),
        "category_lift": _mean_over_categories(items, query.items_M, lift_G),
    }


def _popularity(query: RankingQuery) -> Columns:
    """Log of the positives before the moment, of those of the last days, and of their rate a day in the catalogue."""
    curve = query.item_features.popularity
    time = min(query.user.time, curve.end)
    before_M = curve.before(query.items_M, time)
    created_M = np.fmax(query.item_features.created_I[query.items_M], curve.start)
    days_M = np.maximum(time - created_M, 0) / DAY_MS
    return {
        "popularity": np.log1p(before_M),
        "recent_popularity": np.log1p(curve.between(query.items_M, time - RECENT_DAYS * DAY_MS, time)),
        "popularity_rate": np.log((before_M + 0.5) / (days_M + 5)),
    }


def _ctr(query: RankingQuery) -> Columns:
    """Position-debiased CTR of the item; see `ctr`."""
    log_ctr_I = query.item_features.log_ctr_I
    return {"appeal": np.full(len(query.items_M), np.nan) if log_ctr_I is None else log_ctr_I[query.items_M]}


def _age(query: RankingQuery) -> Columns:
    """Log of the days since the item entered the catalogue, and whether it enters after the moment."""
    days_M = (query.user.time - query.item_features.created_I[query.items_M]) / DAY_MS
    return {"age": np.log1p(np.maximum(days_M, 0)), "not_there": (days_M < 0).astype(np.float32)}


def _price(query: RankingQuery) -> Columns:
    """Log price, and its distance from the mean log price of the history."""
    log_prices_I = query.item_features.log_prices_I
    price_M, history_L = log_prices_I[query.items_M], log_prices_I[query.user.items]
    priced_L = history_L[~np.isnan(history_L)]
    mean = priced_L.mean() if len(priced_L) else np.nan
    return {"price": price_M, "price_distance": np.abs(price_M - mean)}


def _negative_feedback(query: RankingQuery) -> Columns:
    """Whether the user refused or only viewed the candidate, and how similar it is to their negatives."""
    items, negatives = query.item_features, query.user.negatives
    cosines_MR = _cosines(items, query.items_M, negatives)
    share_G, _ = _category_shares(items, negatives)
    return {
        "refused": np.isin(query.items_M, negatives),
        "viewed": np.isin(query.items_M, query.user.viewed),
        "num_refused": np.full(len(query.items_M), np.log1p(len(negatives))),
        "refused_cosine": cosines_MR.max(1) if len(negatives) else np.zeros(len(query.items_M)),
        "refused_category": _mean_over_categories(items, query.items_M, share_G),
    }


def _context(query: RankingQuery) -> Columns:
    """Length of the history, hours since its last event, time of day and weekend (UTC)."""
    user = query.user
    idle = user.time - user.times[-1] if len(user.times) else 0
    angle = 2 * np.pi * (user.time % DAY_MS) / DAY_MS
    weekday = (user.time // DAY_MS + 3) % 7  # 1970 began on a Thursday
    values = {
        "history_length": np.log1p(len(user.items)),
        "idle": np.log1p(max(idle, 0) / HOUR_MS),
        "hour_sin": np.sin(angle),
        "hour_cos": np.cos(angle),
        "weekend": float(weekday >= 5),
    }
    return {name: np.full(len(query.items_M), value) for name, value in values.items()}


_GROUPS: dict[tuple[str, ...], Callable[[RankingQuery], Columns]] = {
    ("score", "score_gap", "score_rank", "bias"): _retrieval,
    ("cosine_max", "cosine_mean", "cosine_recent"): _visual_similarity,
    ("neighbours", "neighbours_recent"): _co_occurrence,
    ("category_share", "category_recent", "category_lift"): _categories,
    POSITIVE_ATTRIBUTES + NEGATIVE_ATTRIBUTES: _attributes,
    ("popularity", "recent_popularity", "popularity_rate"): _popularity,
    ("appeal",): _ctr,
    ("age", "not_there"): _age,
    ("price", "price_distance"): _price,
    ("refused", "viewed", "num_refused", "refused_cosine", "refused_category"): _negative_feedback,
    ("history_length", "idle", "hour_sin", "hour_cos", "weekend"): _context,
}
FEATURES: tuple[str, ...] = tuple(name for group in _GROUPS for name in group)
"""Names of all features but the members' scores, in the order in which rankers store them; the functions above say what
each is."""


def _cosines(
    items: ItemFeatures, items_M: NDArray[np.int32], others_L: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Cosines [M, L] of the item vectors of two sets of items."""
    cosines_ML: NDArray[np.float32] = (
        unit_vectors(items.vectors_ID[items_M]) @ unit_vectors(items.vectors_ID[others_L]).T
    )
    return cosines_ML


def _category_shares(
    items: ItemFeatures, chosen: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Share, and number, of the chosen items in each category."""
    counts_G = code_counts(items.categories, len(items.category_share_G), chosen)
    return counts_G / max(len(chosen), 1), counts_G


def _mean_over_categories(
    items: ItemFeatures, items_M: NDArray[np.int32], values_G: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Mean of a value of each category over the categories of each item; 0 for an item without one."""
    owner, entries = items.categories.gather(items_M)
    return mean_by_owner(values_G[items.categories.values[entries]], owner, len(items_M))
