"""Cross-fitting: each user is scored by a network that was fitted to the others, so that what is measured and
calibrated is what new users will see. The ranker that is kept is then fitted to all (as scikit-learn's
`CalibratedClassifierCV` with `ensemble=False` does).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.config import RankerConfig
from visrec.ranking.fit import Examples, fit_network
from visrec.ranking.ranker import log_softmax


@dataclass(frozen=True)
class HeldOutScores:
    """Scores of networks that have not seen the user.

    Attributes:
        lists_UMT: Logits of all tasks on the retrieved lists, float32.
        rows_NT: Logits of all tasks but the main one on the impressions, as if all places were alike, float32.
    """

    lists_UMT: NDArray[np.float32]
    rows_NT: NDArray[np.float32]

    def list_evidence(self, there_UM: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Log of the main task's softmax within each list, of all candidates one after the other."""
        lists = zip(self.lists_UMT[..., 0], there_UM, strict=True)
        return np.concatenate([log_softmax(row[there]) for row, there in lists])

    def list_order(
        self, there_UM: NDArray[np.bool_], task_weights_T: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What the lists are put in order by, as `Ranker.scores` does but for a constant; last where there is nothing.

        Example:
            >>> scores = HeldOutScores(np.float32([[[3, 0], [1, 5], [9, 9]]]), np.empty((0, 1), np.float32))
            >>> scores.list_order(np.array([[True, True, False]]), np.float32([1, 2])).tolist()
            [[3.0, 11.0, -inf]]
        """
        return np.where(there_UM, self.lists_UMT @ task_weights_T, np.float32(-np.inf))


def cross_fit(
    examples: Examples,
    user_U: NDArray[np.int32],
    user_N: NDArray[np.int32],
    skip_F: NDArray[np.float32],
    config: RankerConfig,
    seed: int,
) -> HeldOutScores:
    """Fit `config.folds` networks, each to all but one part of the users, and score that part.

    Args:
        examples: Lists and impressions.
        user_U: User index of each list.
        user_N: User index of each impression.
        skip_F: See `fit_network`.
        config: Also how many parts.
        seed: Of the parts and of the networks.
    """
    fold_U, fold_N = fold_of(user_U, config.folds, seed), fold_of(user_N, config.folds, seed)
    num_tasks = 1 + examples.successes_NT.shape[1]
    lists_UMT = np.zeros((*examples.labels_UM.shape, num_tasks), np.float32)
    rows_NT = np.zeros(examples.successes_NT.shape, np.float32)
    for fold in range(config.folds):
        network = fit_network(
            examples.take(fold_U != fold, fold_N != fold), skip_F, config, seed + 1 + fold
        ).network
        held_U, held_N = np.flatnonzero(fold_U == fold), np.flatnonzero(fold_N == fold)
        for row in held_U:
            lists_UMT[row] = network.logits(examples.lists_UMF[row])
        rows_NT[held_N] = network.logits(examples.rows_NF[held_N])[:, 1:]
    return HeldOutScores(lists_UMT, rows_NT)


def fold_of(users: NDArray[np.int32], num_folds: int, seed: int) -> NDArray[np.int64]:
    """The part that each user belongs to, by a hash of its index (Knuth's multiplicative): int64 of the same shape."""
    mixed = (users.astype(np.uint64) + np.uint64(seed) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(num_folds)).astype(np.int64)
