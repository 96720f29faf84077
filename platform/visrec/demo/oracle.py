"""Oracle: scores by the true tastes behind generated data, an upper bound for every recommender.

The default shape of the log is scored by affinity. In another one exposure or the item before decides more than taste;
there the oracle scores by the probability of the next click: from the affinities, from what the shop shows
(`demo_data.popularity_weight`), and from the companions of the user's last item (`demo_data.sequence_strength`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot
from visrec.demo.catalogue import one_hot
from visrec.demo.companions import companion_chances
from visrec.demo.logging_policy import exposure
from visrec.demo.tastes import affinity
from visrec.demo.truth import GroundTruth, read_truth
from visrec.errors import NotFoundError
from visrec.storage import Location


class Oracle:
    """Scores items by the true affinity of users, or by the true probability of their next click.

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
        self,
        user_ids: Sequence[str],
        times: NDArray[np.int64],
        item_ids: Sequence[str],
        last_item_ids: Sequence[str | None] | None = None,
    ) -> NDArray[np.float32]:
        """Probability of a positive of each user on each item, given that it is examined, at the user's time.

        Where the log has another shape than the default one, it is the probability that the item is clicked next.

        Args:
            user_ids: Ids of the users [U].
            times: Milliseconds since 1970, int64 [U].
            item_ids: Ids of the items [I].
            last_item_ids: Id of each user's last positive [U], null for none; they matter to logs with sequences.

        Returns:
            float32 [U, I]; 0 where the item has not yet arrived at that time.

        Raises:
            NotFoundError: The truth does not hold one of the ids.
        """
        truth = self._truth
        users = _rows(self._user_rows, user_ids, "user")
        items = _rows(self._item_rows, item_ids, "item")
        times = np.asarray(times, np.int64)
        if truth.popularity is not None:
            return self._next_clicks(users, times, truth.popularity, last_item_ids)[:, items]
        logits = truth.tastes.worths(users, times) @ one_hot(truth.values[items]).T + truth.quality[items]
        scores: NDArray[np.float32] = affinity(logits) * (truth.created_at[items] <= times[:, None])
        return scores

    def _next_clicks(
        self,
        users: NDArray[np.int64],
        times: NDArray[np.int64],
        popularity_I: NDArray[np.float64],
        last_item_ids: Sequence[str | None] | None,
    ) -> NDArray[np.float32]:
        truth = self._truth
        worth_UI = truth.tastes.worths(users, times) @ one_hot(truth.values).T
        shown_UI = exposure(
            worth_UI,
            np.unique(truth.values, axis=0, return_inverse=True)[1].ravel(),
            popularity_I,
            truth.created_at <= times[:, None],
            popularity_weight=truth.popularity_weight,
        )
        clicks_UI = shown_UI * affinity(worth_UI + truth.quality)
        clicks_UI /= np.maximum(clicks_UI.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        if truth.companions is not None and last_item_ids is not None:
            self._add_companions(clicks_UI, times, last_item_ids, truth.companions)
        return clicks_UI.astype(np.float32)

    def _add_companions(
        self,
        clicks_UI: NDArray[np.float64],
        times: NDArray[np.int64],
        last_item_ids: Sequence[str | None],
        companions_I3: NDArray[np.int32],
    ) -> None:
        truth = self._truth
        known = np.flatnonzero([item is not None for item in last_item_ids])
        last = _rows(self._item_rows, [item for item in last_item_ids if item is not None], "item")
        companions_N3 = companions_I3[last]
        chances_N3 = companion_chances(truth.created_at[companions_N3] <= times[known, None])
        chances_NI = np.zeros((len(known), len(companions_I3)))
        np.put_along_axis(chances_NI, companions_N3.astype(np.int64), chances_N3, axis=1)
        leads_on_N1 = truth.sequence_strength * chances_N3.any(axis=1, keepdims=True)
        clicks_UI[known] = (1 - leads_on_N1) * clicks_UI[known] + leads_on_N1 * chances_NI


def _rows(known: dict[str, int], ids: Sequence[str], what: str) -> NDArray[np.int64]:
    try:
        return np.array([known[name] for name in ids], np.int64)
    except KeyError as error:
        raise NotFoundError(f"the truth does not hold {what} {error.args[0]!r}") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class OracleScorer:
    """Scorer of the evaluation (`visrec.evaluation`) that ranks by the oracle at the time of the recommendation.

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
        begins, ends = histories.offsets[:-1].tolist(), histories.offsets[1:].tolist()
        last = [
            self.item_ids[histories.items[end - 1]] if end > begin else None
            for begin, end in zip(begins, ends, strict=True)
        ]
        return self.oracle.score(users, times, self.item_ids, last)
