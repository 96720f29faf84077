"""What users were shown and did, block by block of users: all rows of the log, also those that are no positives."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot

_COLUMNS = ["user_index", "item_index", "time", "weight"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NegativeEvents:
    """Negative events of some users, ragged as `Sequences`, in order of (time, item) for each.

    Attributes:
        offsets: int64 [U + 1].
        items: Item indices, int32 [N].
        times: Milliseconds, int64 [N].
        strengths: float32 [N], above 0: minus the weight of the kind of event.
    """

    offsets: NDArray[np.int64]
    items: NDArray[np.int32]
    times: NDArray[np.int64]
    strengths: NDArray[np.float32]


def read_negative_events(snapshot: Snapshot, block: Sequences) -> NegativeEvents:
    """Negative events of the users of a block, read from the row groups of `interactions.parquet` that hold them.

    Args:
        snapshot: Where from.
        block: Users in ascending order of index.

    Example:
        >>> for block in snapshot.sequences(SplitConfig()):                              # doctest: +SKIP
        ...     events = read_negative_events(snapshot, block)
    """
    users = block.user_index
    if not len(users):
        none = np.zeros(0)
        return NegativeEvents(
            offsets=np.zeros(1, np.int64),
            items=none.astype(np.int32),
            times=none.astype(np.int64),
            strengths=none.astype(np.float32),
        )
    folder = snapshot.artifact.location / "interactions.parquet"
    files = [f.path for f in folder.files() if f.path.endswith(".parquet")]
    field = pads.field
    wanted = (field("user_index") >= int(users[0])) & (field("user_index") <= int(users[-1]))
    table = pads.dataset(files, filesystem=folder.filesystem, format="parquet").to_table(
        columns=_COLUMNS, filter=wanted & (field("weight") < 0)
    )
    user, items, times, weights = (table.column(name).to_numpy() for name in _COLUMNS)
    known = np.isin(user, users)
    order = np.lexsort((items[known], times[known], user[known]))
    counts = np.bincount(np.searchsorted(users, user[known]), minlength=len(users))
    return NegativeEvents(
        offsets=np.r_[0, np.cumsum(counts)].astype(np.int64),
        items=items[known][order].astype(np.int32, copy=False),
        times=times[known][order].astype(np.int64, copy=False),
        strengths=-weights[known][order].astype(np.float32, copy=False),
    )


NO_POSITION = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """Rows of the log of some users, ragged as `Sequences`, in order of (time, item) for each.

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

    def of(self, row: int) -> slice:
        """The rows of one user."""
        return slice(int(self.offsets[row]), int(self.offsets[row + 1]))

    @property
    def row_of_event(self) -> NDArray[np.int64]:
        """For each event the row (0 to U - 1) of its user."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


def read_log(snapshot: Snapshot, block: Sequences, *, positives: bool = True) -> Log:
    """The log of the users of a block, read from the row groups of `interactions.parquet` that hold it.

    Args:
        snapshot: Where from.
        block: Users in ascending order of index.
        positives: Whether to read the positives too.

    Example:
        >>> for block in snapshot.sequences(SplitConfig()):                             # doctest: +SKIP
        ...     shown = read_log(snapshot, block)
    """
    columns = ["user_index", "item_index", "kind", "weight", "time", "position"]
    table = _rows(snapshot, block.user_index, columns, positives)
    position = pc.fill_null(table.column("position"), NO_POSITION)
    user, item, kind, weight, time = (np.asarray(table.column(name)) for name in columns[:5])
    order = np.lexsort((item, time, user))
    counts = np.bincount(np.searchsorted(block.user_index, user), minlength=len(block))
    return Log(
        offsets=np.r_[0, np.cumsum(counts)].astype(np.int64),
        items=item[order].astype(np.int32, copy=False),
        kinds=kind[order].astype(np.int8, copy=False),
        weights=weight[order].astype(np.float32, copy=False),
        times=time[order].astype(np.int64, copy=False),
        positions=np.asarray(position)[order].astype(np.int32, copy=False),
    )


def last_reactions(log: Log, num: int) -> Log:
    """Only the last `num` refusals and the last `num` views of each user: as many as a `UserState` keeps."""
    user_N, keep = log.row_of_event, np.zeros(len(log.items), np.bool_)
    for chosen in (log.weights < 0, log.weights == 0):
        rows = np.flatnonzero(chosen)
        end_U = np.cumsum(np.bincount(user_N[rows], minlength=len(log.offsets) - 1))
        keep[rows[end_U[user_N[rows]] - np.arange(len(rows)) <= num]] = True
    return Log(
        offsets=np.r_[0, np.cumsum(keep)][log.offsets],
        items=log.items[keep],
        kinds=log.kinds[keep],
        weights=log.weights[keep],
        times=log.times[keep],
        positions=log.positions[keep],
    )


def _rows(snapshot: Snapshot, users: NDArray[np.int32], columns: list[str], positives: bool) -> Any:
    folder = snapshot.artifact.location / "interactions.parquet"
    files = [f.path for f in folder.files() if f.path.endswith(".parquet")]
    field = pads.field
    low, high = (int(users[0]), int(users[-1])) if len(users) else (0, -1)
    wanted = (field("user_index") >= low) & (field("user_index") <= high)
    if not positives:
        wanted &= field("weight") <= 0
    table = pads.dataset(files, filesystem=folder.filesystem, format="parquet").to_table(
        columns=columns, filter=wanted
    )
    return table.filter(pc.is_in(table.column("user_index"), value_set=pa.array(users, pa.int32())))
