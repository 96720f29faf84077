"""The best possible recommender on generated data: it knows the tastes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot
from visrec.demo.designs import one_hot
from visrec.demo.tastes import affinity
from visrec.demo.truth import Truth, read_truth
from visrec.errors import NotFoundError
from visrec.storage import Location


class Oracle:
    """Scores items by the users' true affinity.

    Example:
        >>> oracle = Oracle.load(Location.parse("workspace/demo-data/truth"))               # doctest: +SKIP
        >>> oracle.score(["u00017"], np.array([1735000000000]), ["i00042"]).shape           # doctest: +SKIP
        (1, 1)
    """

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._user_rows = {user: row for row, user in enumerate(truth.user_ids)}
        self._item_rows = {item: row for row, item in enumerate(truth.item_ids)}

    @classmethod
    def load(cls, location: Location) -> "Oracle":
        """Read the truth from its folder.

        Raises:
            ArtifactError: It is missing, damaged or of another version.
        """
        return cls(read_truth(location))

    def score(
        self, user_ids: Sequence[str], times: NDArray[np.int64], item_ids: Sequence[str]
    ) -> NDArray[np.float32]:
        """Probability of a positive of each user on each item, once it is looked at, at that user's time.

        Args:
            user_ids: [U].
            times: Milliseconds since 1970, int64 [U].
            item_ids: [I].

        Returns:
            float32 [U, I]; 0 where the item is not yet there at that time.

        Raises:
            NotFoundError: An id that the truth does not hold.
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
        return cls(
            oracle=Oracle.load(truth),
            user_ids=user_ids,
            item_ids=tuple(snapshot.items.column("item_id").to_pylist()),
        )

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        users = self.user_ids.take(pa.array(histories.user_index)).to_pylist()
        return self.oracle.score(users, times, self.item_ids)
