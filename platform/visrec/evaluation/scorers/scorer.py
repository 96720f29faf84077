"""What the evaluation asks of everything that it measures."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences


class Scorer(Protocol):
    """Scores the whole catalogue for a block of users.

    Scorers are fitted by a classmethod `fit(blocks, ...)` of their own, where `blocks` gives the known events in blocks
    of users and may be gone over several times. They are values: nothing changes when they score.
    """

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores float32 [U, I], higher is better.

        Args:
            histories: What is known of the users: U users, oldest event first.
            times: For when the recommendation is, in milliseconds: int64 [U].
        """
        ...
