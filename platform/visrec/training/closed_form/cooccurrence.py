"""Which items the same people choose: leading factors of the normalised matrix of users and items.

Shape legend: U users, I items, R factors.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd

from visrec.training.closed_form.factors import Blocks, Factors


def cooccurrence_factors(
    blocks: Blocks, num_items: int, *, rank: int, popularity_power: float, seed: int
) -> Factors:
    """With N = R / (sqrt(events of the user) * positives of the item ** power), and V its right singular vectors:
    p = V / positives ** power, so that a history sums up to what N V is for it, and q = V.
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
    return Factors((vectors_IR * damping_I[:, None]).astype(np.float32), vectors_IR.astype(np.float32))
