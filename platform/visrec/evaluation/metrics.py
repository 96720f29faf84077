"""Ranking metrics of each user, from the ranks of the held-out items.

For a user with T held-out items, of which h are among the first k:

    recall@k     h / T
    precision@k  h / k
    f1@k         harmonic mean of the two, 2h / (k + T)
    hr@k         1 where h > 0 (hit rate)
    ndcg@k       sum of 1 / log2(1 + rank) over the h, divided by that of the ideal order: min(T, k) hits at the top
                 (Jarvelin and Kekalainen 2002)
    map@k        sum of the precision at each hit among the first k, divided by min(T, k)
    mrr          1 / rank of the first held-out item, over the full ranking
    auc          share of (held-out, other unseen candidate) pairs in the right order, ties count half

Metrics stay arrays over users until the very end, so that differences between two models can be paired.

Example: full-catalogue metrics of a block of users.
    >>> histories = block.where(block.marks == TRAIN)                                       # doctest: +SKIP
    >>> targets = block.where(block.marks == VALIDATION)                                    # doctest: +SKIP
    >>> ranks = rank_targets(scores_BI, histories, targets)                                 # doctest: +SKIP
    >>> ranking_metrics(ranks, ks=(10, 20))["ndcg@10"].mean()                               # doctest: +SKIP
    0.061
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.ranks import Ranks

PerUser = dict[str, NDArray[np.float64]]
"""Metric -> value of each user, float64 [U]."""


def ranking_metrics(ranks: Ranks, ks: Iterable[int]) -> PerUser:
    """All metrics: `recall@k`, `ndcg@k`, `hr@k`, `precision@k`, `f1@k`, `map@k` for each k, `mrr` and `auc`.

    Users without a held-out item get NaN.

    Example: one held-out item at rank 3 gives ndcg@10 = 1 / log2(4) = 0.5 and mrr = 1/3.
    """
    metrics: PerUser = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for k in ks:
            metrics |= metrics_at(ranks, k)
        metrics["mrr"] = _mrr(ranks)
        metrics["auc"] = _auc(ranks)
    none = ranks.num_targets_B == 0
    for values in metrics.values():
        values[none] = np.nan
    return metrics


def metrics_at(ranks: Ranks, k: int) -> PerUser:
    """The metrics that have a cut-off, for users that have a held-out item."""
    num_targets = ranks.num_targets_B.astype(np.float64)
    within = ranks.rank_P <= k
    hits = _sum(ranks, within.astype(np.float64))
    gains = np.where(within, 1 / np.log2(1 + ranks.rank_P), 0.0)
    return {
        f"recall@{k}": hits / num_targets,
        f"ndcg@{k}": _sum(ranks, gains) / _ideal_dcg(ranks.num_targets_B, k),
        f"hr@{k}": (hits > 0).astype(np.float64),
        f"precision@{k}": hits / k,
        f"f1@{k}": 2 * hits / (k + num_targets),
        f"map@{k}": _sum(ranks, np.where(within, _precision_at_hit(ranks), 0.0)) / np.minimum(num_targets, k),
    }


def ndcg_of_lists(
    scores_UM: NDArray[np.float32],
    labels_UM: NDArray[np.bool_],
    num_targets_U: NDArray[np.int64],
    k: int = 10,
) -> NDArray[np.float64]:
    """NDCG@k of lists of M retrieved candidates, put in order by their scores; ties keep the order of the list.

    Args:
        scores_UM: Higher is better.
        labels_UM: Whether the candidate is held out.
        num_targets_U: Held-out items of each user; those that were not retrieved count as missed.
        k: Cut-off.

    Example:
        >>> scores, labels = np.float32([[1, 2, 3]]), np.array([[False, True, False]])
        >>> ndcg_of_lists(scores, labels, np.array([1])).round(4).tolist()
        [0.6309]
    """
    order = np.argsort(-scores_UM, axis=1, kind="stable")[:, :k]
    dcg_U = np.take_along_axis(labels_UM, order, 1) @ _discounts(k)[: order.shape[1]]
    return np.asarray(dcg_U / _ideal_dcg(num_targets_U, k))


def _discounts(k: int) -> NDArray[np.float64]:
    """Gain of a hit at rank 1, ..., k."""
    return np.asarray(1 / np.log2(np.arange(2, k + 2)))


def _ideal_dcg(num_targets_B: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """DCG@k of the best order: min(T, k) hits at the top."""
    cumulative = np.r_[0.0, np.cumsum(_discounts(k))]
    return np.asarray(cumulative[np.minimum(num_targets_B, k)])


def _sum(ranks: Ranks, values_P: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over each user's held-out items."""
    return np.bincount(ranks.row_P, weights=values_P, minlength=len(ranks)).astype(np.float64, copy=False)


def _precision_at_hit(ranks: Ranks) -> NDArray[np.float64]:
    """Of each pair: the user's held-out items at its rank or above, divided by that rank."""
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
    """Mann-Whitney statistic; one half where a user has no candidate besides the held-out items."""
    num_positives = ranks.num_targets_B.astype(np.float64)
    num_others = ranks.num_candidates_B - num_positives
    from_below_P = 1 + ranks.num_candidates_B[ranks.row_P] - ranks.middle_rank_P
    statistic = _sum(ranks, from_below_P) - num_positives * (num_positives + 1) / 2
    return np.where(num_others > 0, statistic / (num_positives * num_others), 0.5)
