"""The truth behind generated data as a scorer: the ceiling that no model can be expected to pass."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot
from visrec.demo.oracle import Oracle
from visrec.storage import Location


@dataclass(frozen=True)
class OracleScorer:
    """Scores by the user's true expected affinity at the time of the recommendation.

    Attributes:
        oracle: The truth.
        user_ids: pyarrow string array, row = user index.
        item_ids: Id of each item, in order of item index.
    """

    oracle: Oracle
    user_ids: Any
    item_ids: tuple[str, ...]

    @classmethod
    def load(cls, truth: Location, snapshot: Snapshot) -> "OracleScorer":
        """Read the truth, and the ids by which it knows users and items.

        Raises:
            VisrecError: There is no truth at this place, or it is damaged.
        """
        user_ids = pa.concat_arrays([block.cast(pa.string()) for block in snapshot.user_ids()])
        return cls(Oracle.load(truth), user_ids, tuple(snapshot.items.column("item_id").to_pylist()))

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        users = self.user_ids.take(pa.array(histories.user_index)).to_pylist()
        return self.oracle.score(users, times, self.item_ids)
