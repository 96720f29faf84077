"""Maximal marginal relevance: a list that is good and not always the same (Carbonell & Goldstein 1998)."""

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import unit_vectors


def mmr_order(
    scores_M: NDArray[np.float32], vectors_MD: NDArray[np.float32], k: int, diversity: float
) -> NDArray[np.int64]:
    """Places of `k` candidates, picked one after the other by (1 - diversity) * score - diversity * likeness.

    The score is scaled to 0..1 over the candidates; likeness is the largest cosine to what has been picked. Ties go to
    the earlier candidate.

    Args:
        scores_M: Relevance, falling.
        vectors_MD: Of the candidates; any length.
        k: Most candidates to pick.
        diversity: 0 keeps the order by score, 1 looks only at likeness.

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
    likeness_M = np.full(num, -1.0, np.float32)
    for place in range(len(picked)):
        value_M = (1 - diversity) * relevance_M - diversity * likeness_M if place else relevance_M.copy()
        value_M[picked[:place]] = -np.inf
        picked[place] = int(np.argmax(value_M))
        likeness_M = np.maximum(likeness_M, units_MD @ units_MD[picked[place]])
    return picked
