"""What a closed form finds.

Shape legend: I items of the catalogue, R factors.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences

Blocks = Callable[[], Iterator[Sequences]]
"""Makes a new pass over the training events."""


@dataclass(frozen=True)
class Factors:
    """score(history, i) = sum over j of the history of w_j p_j . q_i.

    Attributes:
        history_IR: p, zero for items without a positive; float32.
        target_IR: q, likewise.
    """

    history_IR: NDArray[np.float32]
    target_IR: NDArray[np.float32]
