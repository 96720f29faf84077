"""Hard negatives: the top of the retriever's own ranking for a user, without the user's positives.

Shape legend: B sequences, I items of the catalogue, D vector size, K places of the pool, H hard negatives.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn

from visrec.arrays import NO_ITEM, top_k
from visrec.models import History, TwoTowerRecommender
from visrec.training.numerics import eval_mode


class HardNegativeMiner:
    """Ranks the catalogue for the users of a batch, by item vectors frozen at epoch start and the current user tower.

    It stores nothing per user: a restart within an epoch needs the item vectors and biases alone.

    Example:
        >>> miner = HardNegativeMiner(recommender, user_tower, candidates, pool=100, skip=10)     # doctest: +SKIP
        >>> miner.refresh(vectors_ID, recommender.item_biases)                                    # doctest: +SKIP
        >>> pools_BK = miner.pools(histories, positives, request_times_B)                         # doctest: +SKIP
    """

    def __init__(
        self,
        recommender: TwoTowerRecommender,
        user_tower: nn.Module,
        candidates: NDArray[np.int32],
        *,
        pool: int,
        skip: int,
    ) -> None:
        """Make a miner without item vectors; `refresh` sets them.

        Args:
            recommender: Encodes histories.
            user_tower: Its user tower, which is in eval mode while it encodes.
            candidates: Item indices that may be negatives.
            pool: Items of a user's pool.
            skip: Top ranks that are left out of the pool, since they are likely false negatives.
        """
        self._recommender = recommender
        self._user_tower = user_tower
        self._pool = pool
        self._skip = skip
        self._excluded_I = np.ones(recommender.num_items, bool)
        self._excluded_I[candidates] = False
        self.vectors_ID: NDArray[np.float32] | None = None
        self.biases_I: NDArray[np.float32] | None = None

    def refresh(self, vectors_ID: NDArray[np.float32], biases_I: NDArray[np.float32]) -> None:
        """Set the item vectors and biases to rank by."""
        self.vectors_ID, self.biases_I = vectors_ID, biases_I

    def invalidate(self) -> None:
        """Drop the item vectors; they are stale."""
        self.vectors_ID = self.biases_I = None

    def pools(
        self,
        histories: Sequence[History],
        positives: Sequence[NDArray[np.int32]],
        request_times_B: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Items of each user's pool [B, K], best first; `NO_ITEM` where there are fewer.

        Eval mode: mining does not advance the RNG.

        Args:
            histories: Events of each user before the request.
            positives: All training positives of each user, which are no negatives.
            request_times_B: Time of each request in milliseconds: in training that of the window's last target.
        """
        assert self.vectors_ID is not None and self.biases_I is not None, "refresh the miner first"
        with eval_mode(self._user_tower):
            queries_BD = self._recommender.encode_users(histories, self.vectors_ID, request_times_B)
        scores_BI = queries_BD @ self.vectors_ID.T + self.biases_I
        scores_BI[:, self._excluded_I] = -np.inf
        for row, items in enumerate(positives):
            scores_BI[row, items] = -np.inf
        depth = min(self._skip + self._pool, scores_BI.shape[1])
        ranked_BK = top_k(scores_BI, depth)
        ranked_BK[np.isneginf(np.take_along_axis(scores_BI, ranked_BK, 1))] = NO_ITEM
        return np.asarray(ranked_BK[:, self._skip :], np.int64)


def draw_hard(
    pools_BK: NDArray[np.int64], num_hard: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Sample without replacement from each row's pool: [B, H], `NO_ITEM` where a pool has fewer.

    Example:
        >>> draw_hard(np.array([[7, 8, -1]]), 3, np.random.default_rng(0)).tolist()
        [[8, 7, -1]]
    """
    keys_BK = generator.random(pools_BK.shape)
    keys_BK[pools_BK == NO_ITEM] = 2.0
    order_BK = np.argsort(keys_BK, axis=1, kind="stable")[:, :num_hard]
    return np.take_along_axis(pools_BK, order_BK, 1)
