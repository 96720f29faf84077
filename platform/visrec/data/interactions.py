"""Reader of `interactions.parquet`: every event of a block of users, impressions and negatives included."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot

NO_POSITION = -1
"""Position of an event whose place on the page is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InteractionBlock:
    """Events of a block of users, ragged as `Sequences`, each user's in order of time, ties as the snapshot has them.

    Attributes:
        offsets: int64 [U + 1].
        items: Item indices, int32 [N].
        kinds: Codes of event kinds, int8 [N].
        weights: float32 [N]: above 0 a positive, below 0 a negative, 0 an impression only.
        times: Milliseconds, int64 [N].
        positions: Place on the page, from 0; `NO_POSITION` where it is not known: int32 [N].
    """

    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    kinds: NDArray[np.int8]
    weights: NDArray[np.float32]
    times: NDArray[np.int64]
    positions: NDArray[np.int32]

    def of_user(self, row: int) -> slice:
        """The events of one user of the block."""
        return slice(int(self.offsets[row]), int(self.offsets[row + 1]))

    @property
    def row_of_event(self) -> NDArray[np.int64]:
        """For each event the row (0 to U - 1) of its user."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def last_reactions(self, num: int) -> "InteractionBlock":
        """Only the last `num` negatives and the last `num` impressions of each user."""
        user_N, keep_N = self.row_of_event, np.zeros(len(self.items), np.bool_)
        for chosen_N in (self.weights < 0, self.weights == 0):
            events = np.flatnonzero(chosen_N)
            end_U = np.cumsum(np.bincount(user_N[events], minlength=len(self.offsets) - 1))
            keep_N[events[end_U[user_N[events]] - np.arange(len(events)) <= num]] = True
        return InteractionBlock(
            offsets=np.r_[0, np.cumsum(keep_N)][self.offsets],
            items=self.items[keep_N],
            kinds=self.kinds[keep_N],
            weights=self.weights[keep_N],
            times=self.times[keep_N],
            positions=self.positions[keep_N],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NegativeEvents:
    """Negative events of a block of users, ragged as `Sequences`, ordered as in `InteractionBlock`.

    Attributes:
        offsets: int64 [U + 1].
        items: Item indices, int32 [N].
        times: Milliseconds, int64 [N].
        strengths: Minus the weight of the event's kind, above 0: float32 [N].
    """

    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    times: NDArray[np.int64]
    strengths: NDArray[np.float32]


def read_interactions(snapshot: Snapshot, block: Sequences, *, positives: bool = True) -> InteractionBlock:
    """Events of the users of a block.

    Args:
        snapshot: Where from.
        block: Users in ascending order of index.
        positives: Whether to read the positives too.

    Example:
        >>> for block in snapshot.sequences(SplitConfig()):                             # doctest: +SKIP
        ...     interactions = read_interactions(snapshot, block)
    """
    columns = ["item_index", "kind", "weight", "time", "position"]
    event_filter = None if positives else pads.field("weight") <= 0
    offsets, events = _read(snapshot, block.user_index, columns, event_filter)
    return InteractionBlock(
        offsets=offsets,
        items=np.asarray(events.column("item_index"), np.int32),
        kinds=np.asarray(events.column("kind"), np.int8),
        weights=np.asarray(events.column("weight"), np.float32),
        times=np.asarray(events.column("time"), np.int64),
        positions=np.asarray(pc.fill_null(events.column("position"), NO_POSITION), np.int32),
    )


def read_negative_events(snapshot: Snapshot, block: Sequences) -> NegativeEvents:
    """Negative events of the users of a block.

    Args:
        snapshot: Where from.
        block: Users in ascending order of index.

    Example:
        >>> for block in snapshot.sequences(SplitConfig()):                             # doctest: +SKIP
        ...     negatives = read_negative_events(snapshot, block)
    """
    columns = ["item_index", "weight", "time"]
    offsets, events = _read(snapshot, block.user_index, columns, pads.field("weight") < 0)
    return NegativeEvents(
        offsets=offsets,
        items=np.asarray(events.column("item_index"), np.int32),
        times=np.asarray(events.column("time"), np.int64),
        strengths=-np.asarray(events.column("weight"), np.float32),
    )


def _read(
    snapshot: Snapshot, users: NDArray[np.int32], columns: list[str], event_filter: Any
) -> tuple[NDArray[np.int64], pa.Table]:
    """Events of some users in order of (user, time), ties as the snapshot has them, and the offsets of the users.

    Only row groups whose statistics of `user_index` overlap the users are read.

    Args:
        snapshot: Where from.
        users: Ascending user indices, int32 [U].
        columns: To read; `time` among them.
        event_filter: Filter of events; None for all.
    """
    folder = snapshot.artifact.location / "interactions.parquet"
    files = [f.path for f in folder.files() if f.path.endswith(".parquet")]
    user_index = pads.field("user_index")
    low, high = (int(users[0]), int(users[-1])) if len(users) else (0, -1)
    in_range = (user_index >= low) & (user_index <= high)
    table = pads.dataset(files, filesystem=folder.filesystem, format="parquet").to_table(
        columns=["user_index", *columns], filter=in_range if event_filter is None else in_range & event_filter
    )
    table = table.filter(pc.is_in(table.column("user_index"), value_set=pa.array(users, pa.int32())))
    user, time = np.asarray(table.column("user_index")), np.asarray(table.column("time"))
    order = np.lexsort((time, user))  # stable: the order of ties is that of the snapshot
    counts = np.bincount(np.searchsorted(users, user), minlength=len(users))
    return np.r_[0, np.cumsum(counts)].astype(np.int64), table.combine_chunks().take(pa.array(order))
