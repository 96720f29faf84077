"""Closed-form solver: item factors from co-occurrence.

Shape legend: U users, I items, R factors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from visrec.data.snapshot import Sequences

Blocks = Callable[[], Iterator[Sequences]]
"""Starts a new pass over the training events."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Factors:
    """Factors p and q of score(history, i) = sum over j of the history of w_j p_j . q_i.

    Attributes:
        history_IR: p, zero for items without a positive; float32.
        target_IR: q, likewise.
    """

    history_IR: NDArray[np.float32]
    target_IR: NDArray[np.float32]


def cooccurrence_factors(
    blocks: Blocks, num_items: int, *, rank: int, popularity_power: float, seed: int
) -> Factors:
    """Truncated SVD of the normalised user-item matrix N.

    An entry of N is 1 / (sqrt(events of the user) * positives of the item ** `popularity_power`). With V the right
    singular vectors of N, q = V and p = V / positives ** `popularity_power`, so that the sum of p over a history is the
    user's row of N V but for the factor of the user (PureSVD: Cremonesi et al. 2010, on a normalised matrix).
    """
    gram_II = np.zeros((num_items, num_items))
    counts_I = np.zeros(num_items)
    for block in blocks():
        lengths_U = np.diff(block.offsets)
        weights = 1 / np.sqrt(np.maximum(lengths_U, 1))[block.row_of_event]
        rows = sp.csr_matrix((weights, (block.row_of_event, block.items)), shape=(len(block), num_items))
        gram_II += (rows.T @ rows).toarray()
        counts_I += np.bincount(block.items, minlength=num_items)
    damping_I = np.maximum(counts_I, 1) ** -popularity_power
    gram_II *= damping_I[:, None] * damping_I
    _, _, right_RI = randomized_svd(gram_II, min(rank, num_items), random_state=seed)
    vectors_IR = np.where(counts_I[:, None] > 0, right_RI.T, 0)
    return Factors(
        history_IR=(vectors_IR * damping_I[:, None]).astype(np.float32),
        target_IR=vectors_IR.astype(np.float32),
    )
