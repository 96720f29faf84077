"""From a block of scores to metrics of each user: the one call that training's validation needs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences
from visrec.evaluation.ranking_metrics import ranking_metrics
from visrec.evaluation.ranks import rank_targets


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
