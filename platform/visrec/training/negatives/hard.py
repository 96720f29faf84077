"""Hard negatives: what the retriever would show a user, without what the user has taken.

Shape legend: B sequences, I items of the catalogue, D vector size, K places of the pool, H hard negatives.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from torch import nn

from visrec.arrays import NO_ITEM, top_k
from visrec.models import History, Recommender


class HardMiner:
    """Ranks the catalogue for the users of a batch by item vectors of the epoch's start, and the user tower of now.

    So nothing as large as all users is kept: a restart within an epoch needs the vectors and biases alone.

    Example:
        >>> miner = HardMiner(recommender, user_tower, candidates, pool=100, skip=10)     # doctest: +SKIP
        >>> miner.refresh(vectors_ID, recommender.item_biases)                            # doctest: +SKIP
        >>> pools_BK = miner.pools(histories, positives, moments)                         # doctest: +SKIP
    """

    def __init__(
        self,
        recommender: Recommender,
        user_tower: nn.Module,
        candidates: NDArray[np.int32],
        *,
        pool: int,
        skip: int,
    ) -> None:
        """Make a miner that has no vectors yet.

        Args:
            recommender: Encodes histories.
            user_tower: Its user tower, to put at rest while it does.
            candidates: Item indices that may be negatives.
            pool: Items of a user's pool.
            skip: Places at the top of the ranking that are left out.
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
        """Rank by these from now on."""
        self.vectors_ID, self.biases_I = vectors_ID, biases_I

    def forget(self) -> None:
        """Have no vectors again: the model has gone on."""
        self.vectors_ID = self.biases_I = None

    def pools(
        self,
        histories: Sequence[History],
        positives: Sequence[NDArray[np.int32]],
        moments: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Items of each user's pool [B, K], `NO_ITEM` where there are fewer.

        Args:
            histories: The events after which each user is asked for.
            positives: All training positives of each user, which are no negatives.
            moments: When each user is asked for, milliseconds [B]: in training the time of the window's last target.
        """
        assert self.vectors_ID is not None and self.biases_I is not None, "refresh the miner first"
        with _eval_mode(self._user_tower):
            queries_BD = self._recommender.encode_users(histories, self.vectors_ID, moments)
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
    """Draw without replacement from each row's pool: [B, H], `NO_ITEM` where a pool has fewer.

    Example:
        >>> draw_hard(np.array([[7, 8, -1]]), 3, np.random.default_rng(0)).tolist()
        [[8, 7, -1]]
    """
    keys_BK = generator.random(pools_BK.shape)
    keys_BK[pools_BK == NO_ITEM] = 2.0
    order_BK = np.argsort(keys_BK, axis=1, kind="stable")[:, :num_hard]
    return np.take_along_axis(pools_BK, order_BK, 1)


@contextmanager
def _eval_mode(module: nn.Module) -> Iterator[None]:
    """Without dropout; draws no random number, so that mining shifts none."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)
