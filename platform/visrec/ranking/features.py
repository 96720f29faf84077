"""Features of a user and some candidates: the one implementation that training, evaluation and serving share.

A feature whose column is missing is left out by name; a single missing value is NaN, which the ranker takes for the
average.

Shape suffixes: M candidates, P places of the list, L positives of the history, R refused items, G categories,
F features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS, unit_vectors
from visrec.ranking.item_facts import ItemFacts
from visrec.ranking.user_state import UserState

HOUR_MS = 3_600_000
RECENT_EVENTS = 5
"""So many of the last positives are "recent"."""
RECENT_DAYS = 7
_CATEGORY_PRIOR = 4.0

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingQuery:
    """A user, and candidates to tell about.

    Attributes:
        facts: Of the catalogue.
        past: The user before the moment of the recommendation.
        items_M: Candidates, int32.
        scores_M: Their retrieval scores, float32.
        pool_P: Scores of the list that the candidates are compared with, float32; usually their own.
    """

    facts: ItemFacts
    past: UserState
    items_M: NDArray[np.int32]
    scores_M: NDArray[np.float32]
    pool_P: NDArray[np.float32]


def candidate_features(ask: RankingQuery, names: Sequence[str]) -> NDArray[np.float32]:
    """Features float32 [M, F] of the candidates, in the order of `names`, which are some of `FEATURES`.

    Example:
        >>> rows_MF = candidate_features(RankingQuery(facts, past, items_M, scores_M, scores_M), names)
    """
    if not len(ask.items_M):
        return np.zeros((0, len(names)), np.float32)
    found: Columns = {}
    for group, columns in _GROUPS.items():
        if any(name in names for name in group):
            found |= columns(ask)
    return np.stack([np.asarray(found[name], np.float32) for name in names], axis=1)


def _retrieval(ask: RankingQuery) -> Columns:
    """The two towers' score, how far it is behind the list's best, its place, and its part that is the item's alone."""
    ascending = np.sort(ask.pool_P)
    ahead_M = len(ask.pool_P) - np.searchsorted(ascending, ask.scores_M, side="right")
    return {
        "score": ask.scores_M,
        "score_gap": ask.scores_M - ascending[-1],
        "score_rank": np.log1p(ahead_M),
        "bias": ask.facts.biases_I[ask.items_M],
    }


def _visual_similarity(ask: RankingQuery) -> Columns:
    """Cosines of the item vectors to those of the history."""
    cosines_ML = _cosines(ask.facts, ask.items_M, ask.past.items)
    if not cosines_ML.shape[1]:
        return dict.fromkeys(
            ("cosine_max", "cosine_mean", "cosine_recent"), np.full(len(ask.items_M), np.nan)
        )
    return {
        "cosine_max": cosines_ML.max(1),
        "cosine_mean": cosines_ML.mean(1),
        "cosine_recent": cosines_ML[:, -RECENT_EVENTS:].max(1),
    }


def _co_occurrence(ask: RankingQuery) -> Columns:
    """How close the candidates are to the history by the users that they share."""
    owner, entries = ask.facts.neighbours.gather(ask.past.items)
    neighbours = ask.facts.neighbours.values[entries]
    order = np.argsort(ask.items_M)
    nearest = np.searchsorted(ask.items_M, neighbours, sorter=order)
    places = order[np.minimum(nearest, len(order) - 1)]
    hit = ask.items_M[places] == neighbours
    closeness, columns = ask.facts.closeness[entries[hit]], places[hit]
    recent = owner[hit] >= len(ask.past.items) - RECENT_EVENTS
    num = len(ask.items_M)
    return {
        "neighbours": np.log1p(np.bincount(columns, closeness, num)),
        "neighbours_recent": np.log1p(np.bincount(columns[recent], closeness[recent], num)),
    }


def _categories(ask: RankingQuery) -> Columns:
    """Share of the history in the candidate's categories, and how far it is above that of the catalogue."""
    share_G, count_G = _category_shares(ask.facts, ask.past.items)
    recent_G, _ = _category_shares(ask.facts, ask.past.items[-RECENT_EVENTS:])
    prior_G = _CATEGORY_PRIOR * ask.facts.category_share_G
    lift_G = np.log(
        (count_G + prior_G) / ((len(ask.past.items) + _CATEGORY_PRIOR) * ask.facts.category_share_G)
    )
    return {
        "category_share": _mean_over_categories(ask.facts, ask.items_M, share_G),
        "category_recent": _mean_over_categories(ask.facts, ask.items_M, recent_G),
        "category_lift": _mean_over_categories(ask.facts, ask.items_M, lift_G),
    }


def _popularity(ask: RankingQuery) -> Columns:
    """Positives before the moment: all of them, those of the last days, and by the days that the item was there."""
    curve = ask.facts.popularity
    time = min(ask.past.time, curve.end)
    before_M = curve.before(ask.items_M, time)
    there_from = np.fmax(ask.facts.created_I[ask.items_M], curve.start)
    days_M = np.maximum(time - there_from, 0) / DAY_MS
    return {
        "popularity": np.log1p(before_M),
        "recent_popularity": np.log1p(curve.between(ask.items_M, time - RECENT_DAYS * DAY_MS, time)),
        "popularity_rate": np.log((before_M + 0.5) / (days_M + 5)),
    }


def _age(ask: RankingQuery) -> Columns:
    """Days since the item came, and whether it is still to come."""
    days_M = (ask.past.time - ask.facts.created_I[ask.items_M]) / DAY_MS
    return {"age": np.log1p(np.maximum(days_M, 0)), "not_there": (days_M < 0).astype(np.float32)}


def _price(ask: RankingQuery) -> Columns:
    """Log price, and its distance from the mean of the history."""
    price_M, paid_L = ask.facts.log_prices_I[ask.items_M], ask.facts.log_prices_I[ask.past.items]
    known_L = paid_L[~np.isnan(paid_L)]
    usual = known_L.mean() if len(known_L) else np.nan
    return {"price": price_M, "price_distance": np.abs(price_M - usual)}


def _refusals(ask: RankingQuery) -> Columns:
    """What the user has refused or passed by: the candidate itself, and what is like it."""
    cosines_MR = _cosines(ask.facts, ask.items_M, ask.past.refused)
    share_G, _ = _category_shares(ask.facts, ask.past.refused)
    return {
        "refused": np.isin(ask.items_M, ask.past.refused),
        "viewed": np.isin(ask.items_M, ask.past.viewed),
        "num_refused": np.full(len(ask.items_M), np.log1p(len(ask.past.refused))),
        "refused_cosine": cosines_MR.max(1) if len(ask.past.refused) else np.zeros(len(ask.items_M)),
        "refused_category": _mean_over_categories(ask.facts, ask.items_M, share_G),
    }


def _context(ask: RankingQuery) -> Columns:
    """Length of the history, hours since its last event, time of the day and of the week (UTC)."""
    idle = ask.past.time - ask.past.times[-1] if len(ask.past.times) else 0
    angle = 2 * np.pi * (ask.past.time % DAY_MS) / DAY_MS
    weekday = (ask.past.time // DAY_MS + 3) % 7  # 1970 began on a Thursday
    values = {
        "history_length": np.log1p(len(ask.past.items)),
        "idle": np.log1p(max(idle, 0) / HOUR_MS),
        "hour_sin": np.sin(angle),
        "hour_cos": np.cos(angle),
        "weekend": float(weekday >= 5),
    }
    return {name: np.full(len(ask.items_M), value) for name, value in values.items()}


def _cosines(
    facts: ItemFacts, items_M: NDArray[np.int32], others_L: NDArray[np.int32]
) -> NDArray[np.float32]:
    cosines_ML: NDArray[np.float32] = (
        unit_vectors(facts.vectors_ID[items_M]) @ unit_vectors(facts.vectors_ID[others_L]).T
    )
    return cosines_ML


def _category_shares(
    facts: ItemFacts, items: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Share, and number, of the items that are in each category."""
    _, entries = facts.categories.gather(items)
    counts_G = np.bincount(facts.categories.values[entries], minlength=len(facts.category_share_G))
    return counts_G / max(len(items), 1), counts_G


def _mean_over_categories(
    facts: ItemFacts, items_M: NDArray[np.int32], values_G: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Mean of a number of each category over the categories of each item; 0 for an item without one."""
    owner, entries = facts.categories.gather(items_M)
    sums_M = np.bincount(owner, values_G[facts.categories.values[entries]], len(items_M))
    return sums_M / np.maximum(np.bincount(owner, minlength=len(items_M)), 1)


def _appeal(ask: RankingQuery) -> Columns:
    """How the item does when it is shown; see `appeal`."""
    known = ask.facts.appeal_I
    return {"appeal": np.full(len(ask.items_M), np.nan) if known is None else known[ask.items_M]}


_GROUPS: dict[tuple[str, ...], Callable[[RankingQuery], Columns]] = {
    ("score", "score_gap", "score_rank", "bias"): _retrieval,
    ("cosine_max", "cosine_mean", "cosine_recent"): _visual_similarity,
    ("neighbours", "neighbours_recent"): _co_occurrence,
    ("category_share", "category_recent", "category_lift"): _categories,
    ("popularity", "recent_popularity", "popularity_rate"): _popularity,
    ("appeal",): _appeal,
    ("age", "not_there"): _age,
    ("price", "price_distance"): _price,
    ("refused", "viewed", "num_refused", "refused_cosine", "refused_category"): _refusals,
    ("history_length", "idle", "hour_sin", "hour_cos", "weekend"): _context,
}
FEATURES: tuple[str, ...] = tuple(name for group in _GROUPS for name in group)
"""All features. What each is: the functions above."""


def known_features(facts: ItemFacts) -> tuple[str, ...]:
    """The features for which the catalogue and the log have what they need."""
    missing: set[str] = set()
    if not len(facts.categories.values):
        missing |= {"category_share", "category_recent", "category_lift", "refused_category"}
    if np.isnan(facts.log_prices_I).all():
        missing |= {"price", "price_distance"}
    if np.isnan(facts.created_I).all():
        missing |= {"age", "not_there"}
    if facts.appeal_I is None:
        missing |= {"appeal", "refused", "viewed", "num_refused", "refused_cosine", "refused_category"}
    return tuple(name for name in FEATURES if name not in missing)
