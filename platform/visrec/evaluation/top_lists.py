"""The first k items of each user's ranking."""

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences
from visrec.evaluation.ranks import candidate_scores, tie_order

NO_ITEM = -1


def top_lists(
    scores_BI: NDArray[np.float32], seen: Sequences, k: int, *, candidates: NDArray[np.int32] | None = None
) -> NDArray[np.int32]:
    """Item indices [B, k], best first, without seen items; ties in the fixed order of `ranks.tie_order`.

    `NO_ITEM` fills rows where fewer items can be recommended.
    """
    z_BC, _ = candidate_scores(scores_BI, seen, candidates)
    z_BC[np.isnan(z_BC)] = -np.inf
    num_candidates = z_BC.shape[1]
    order = np.argsort(tie_order(num_candidates))  # candidates by their place in the tie order
    width = min(k, num_candidates)
    best_BC = _first(-z_BC[:, order], width)
    columns = order[best_BC]
    found = np.take_along_axis(z_BC, columns, 1)
    items = columns if candidates is None else candidates[columns]
    lists = np.full((len(z_BC), k), NO_ITEM, np.int32)
    lists[:, :width] = np.where(np.isneginf(found), NO_ITEM, items)
    return lists


def _first(values_BC: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k smallest values of each row in order, ties by column; sorts only what may belong to them."""
    if k >= values_BC.shape[1]:
        return np.argsort(values_BC, axis=1, kind="stable")
    limit_B = np.partition(values_BC, k - 1, axis=1)[:, k - 1]
    best = np.empty((len(values_BC), k), np.int64)
    for row, (values, limit) in enumerate(zip(values_BC, limit_B, strict=True)):
        possible = np.flatnonzero(values <= limit)
        best[row] = possible[np.argsort(values[possible], kind="stable")[:k]]
    return best
