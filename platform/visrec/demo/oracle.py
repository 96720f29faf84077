"""Oracle: scores by the true tastes behind generated data, an upper bound for every recommender."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot
from visrec.demo.catalogue import one_hot
from visrec.demo.tastes import affinity
from visrec.demo.truth import GroundTruth, read_truth
from visrec.errors import NotFoundError
from visrec.storage import Location


class Oracle:
    """Scores items by the true affinity of users.

    Example:
        >>> oracle = Oracle.load(Location.parse("workspace/demo-data/truth"))               # doctest: +SKIP
        >>> oracle.score(["u00017"], np.array([1735000000000]), ["i00042"]).shape           # doctest: +SKIP
        (1, 1)
    """

    def __init__(self, truth: GroundTruth) -> None:
        self._truth = truth
        self._user_rows = {user: row for row, user in enumerate(truth.user_ids)}
        self._item_rows = {item: row for row, item in enumerate(truth.item_ids)}

    @classmethod
    def load(cls, location: Location) -> "Oracle":
        """Read the ground truth from its folder.

        Raises:
            ArtifactError: It is missing, damaged or of another version.
        """
        return cls(read_truth(location))

    def score(
        self, user_ids: Sequence[str], times: NDArray[np.int64], item_ids: Sequence[str]
    ) -> NDArray[np.float32]:
        """Probability of a positive of each user on each item, given that it is examined, at the user's time.

        Args:
            user_ids: Ids of the users [U].
            times: Milliseconds since 1970, int64 [U].
            item_ids: Ids of the items [I].

        Returns:
            float32 [U, I]; 0 where the item has not yet arrived at that time.

        Raises:
            NotFoundError: The truth does not hold one of the ids.
        """
        truth = self._truth
        users = _rows(self._user_rows, user_ids, "user")
        items = _rows(self._item_rows, item_ids, "item")
        times = np.asarray(times, np.int64)
        logits = truth.tastes.worths(users, times) @ one_hot(truth.values[items]).T + truth.quality[items]
        scores: NDArray[np.float32] = affinity(logits) * (truth.created_at[items] <= times[:, None])
        return scores


def _rows(known: dict[str, int], ids: Sequence[str], what: str) -> NDArray[np.int64]:
    try:
        return np.array([known[name] for name in ids], np.int64)
    except KeyError as error:
        raise NotFoundError(f"the truth does not hold {what} {error.args[0]!r}") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class OracleScorer:
    """Scorer of the evaluation (`visrec.evaluation`) that ranks by true affinity at the time of the recommendation.

    Attributes:
        oracle: Oracle over the ids of the ground truth.
        user_ids: Id of each user, by user index: pyarrow string array.
        item_ids: Id of each item, by item index.
    """

    oracle: Oracle
    user_ids: Any
    item_ids: tuple[str, ...]

    @classmethod
    def load(cls, truth: Location, snapshot: Snapshot) -> "OracleScorer":
        """Read the ground truth, and the snapshot's ids of users and items.

        Raises:
            ArtifactError: The truth is missing, damaged or of another version.
        """
        user_ids = pa.concat_arrays([block.cast(pa.string()) for block in snapshot.user_ids()])
        return cls(
            oracle=Oracle.load(truth),
            user_ids=user_ids,
            item_ids=tuple(snapshot.items.column("item_id").to_pylist()),
        )

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        users = self.user_ids.take(pa.array(histories.user_index)).to_pylist()
        return self.oracle.score(users, times, self.item_ids)
