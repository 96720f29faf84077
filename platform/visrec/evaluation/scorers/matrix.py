"""A block of sequences as a sparse users x items matrix."""

from typing import Any

import numpy as np
from scipy import sparse

from visrec.data.snapshot import Sequences


def user_item_matrix(block: Sequences, num_items: int) -> Any:
    """scipy CSR matrix float32 [U, I] with 1 where the user had the item.

    Event kinds and weights do not count: the classic baselines take every positive alike.
    """
    ones = np.ones(len(block.items), np.float32)
    return sparse.csr_matrix((ones, block.items, block.offsets), shape=(len(block), num_items))
