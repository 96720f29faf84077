"""Ranking metrics of each user, from the places of the held-out items.

For a user with T held-out items, of which h stand among the first k:

    recall@k     h / T
    precision@k  h / k
    f1@k         harmonic mean of the two, 2h / (k + T)
    hr@k         1 where h > 0 (hit rate)
    ndcg@k       sum of 1 / log2(1 + rank) over the h, divided by that of the ideal order: min(T, k) hits at the top
                 (Jarvelin & Kekalainen 2002)
    map@k        mean over the first min(T, k) of the precision at each hit
    mrr          1 / rank of the first held-out item, over the full ranking
    auc          share of (held-out, other unseen candidate) pairs in the right order, ties count half

Metrics stay arrays over users until the very end, so that differences between two models can be paired.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences
from visrec.evaluation.ranks import Ranks, rank_targets


def ranking_metrics(ranks: Ranks, ks: Iterable[int]) -> dict[str, NDArray[np.float64]]:
    """All metrics of all users at each cut-off: name -> float64 [U]. Users without a pair get NaN.

    Example: one held-out item at place 3 gives ndcg@10 = 1 / log2(4) = 0.5 and mrr = 1/3.
    """
    metrics: dict[str, NDArray[np.float64]] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for k in ks:
            metrics |= metrics_at(ranks, k)
        metrics["mrr"] = _mrr(ranks)
        metrics["auc"] = _auc(ranks)
    none = ranks.num_targets_B == 0
    for values in metrics.values():
        values[none] = np.nan
    return metrics


def metrics_at(ranks: Ranks, k: int) -> dict[str, NDArray[np.float64]]:
    """The metrics that have a cut-off."""
    num_targets = ranks.num_targets_B.astype(np.float64)
    within = ranks.rank_P <= k
    hits = _sum(ranks, within.astype(np.float64))
    gains = np.where(within, 1 / np.log2(1 + ranks.rank_P), 0.0)
    return {
        f"recall@{k}": hits / num_targets,
        f"ndcg@{k}": _sum(ranks, gains) / ideal_gain(ranks.num_targets_B, k),
        f"hr@{k}": (hits > 0).astype(np.float64),
        f"precision@{k}": hits / k,
        f"f1@{k}": 2 * hits / (k + num_targets),
        f"map@{k}": _sum(ranks, np.where(within, _precision_at_hit(ranks), 0.0)) / np.minimum(num_targets, k),
    }


def ideal_gain(num_targets_B: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """DCG@k of the best order: min(T, k) hits in the first places."""
    cumulative = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, k + 2)))]
    return np.asarray(cumulative[np.minimum(num_targets_B, k)])


def _sum(ranks: Ranks, values_P: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(ranks.row_P, weights=values_P, minlength=len(ranks)).astype(np.float64, copy=False)


def _precision_at_hit(ranks: Ranks) -> NDArray[np.float64]:
    """For each pair: how many held-out items of the user stand at its place or before, divided by that place."""
    order = np.lexsort((ranks.rank_P, ranks.row_P))
    first_B = np.r_[0, np.cumsum(ranks.num_targets_B)[:-1]]
    count_P = np.empty(len(order))
    count_P[order] = np.arange(len(order)) - first_B[ranks.row_P[order]] + 1
    return np.asarray(count_P / ranks.rank_P)


def _mrr(ranks: Ranks) -> NDArray[np.float64]:
    best_B = np.zeros(len(ranks))
    np.maximum.at(best_B, ranks.row_P, 1 / ranks.rank_P)
    return best_B


def _auc(ranks: Ranks) -> NDArray[np.float64]:
    """Mann-Whitney statistic; one half where there is no other candidate to tell the held-out items from."""
    num_positives = ranks.num_targets_B.astype(np.float64)
    num_others = ranks.num_candidates_B - num_positives
    from_below_P = 1 + ranks.num_candidates_B[ranks.row_P] - ranks.middle_rank_P
    statistic = _sum(ranks, from_below_P) - num_positives * (num_positives + 1) / 2
    return np.where(num_others > 0, statistic / (num_positives * num_others), 0.5)


def per_user_metrics(
    scores_BI: NDArray[np.float32],
    seen: Sequences,
    targets: Sequences,
    ks: Sequence[int],
    *,
    candidates: NDArray[np.int32] | None = None,
    set_valued: bool = False,
) -> dict[str, NDArray[np.float64]]:
    """Full-catalogue metrics of a block of users: name -> float64 [B].

    Names: for each k `recall@k`, `ndcg@k`, `hr@k`, `precision@k`, `f1@k`, `map@k`; over the full ranking `mrr`, `auc`.
    What they mean: `ranking_metrics`. How ties are treated, and what the arguments must be: `ranks.rank_targets`.

    Example:
        >>> history = block.where(block.marks == TRAIN)                                 # doctest: +SKIP
        >>> targets = block.where(block.marks == VALIDATION)                            # doctest: +SKIP
        >>> per_user_metrics(scores_BI, history, targets, (10,))["ndcg@10"].mean()      # doctest: +SKIP
        0.061
    """
    ranks = rank_targets(scores_BI, seen, targets, candidates=candidates, set_valued=set_valued)
    return ranking_metrics(ranks, ks)
