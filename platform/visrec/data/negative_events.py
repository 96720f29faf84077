"""Events that say no (kinds with a weight below 0), block by block of users: sequences hold positives only."""

from dataclasses import dataclass

import numpy as np
import pyarrow.dataset as pads
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences, Snapshot

_COLUMNS = ["user_index", "item_index", "time", "weight"]


@dataclass(frozen=True)
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
            np.zeros(1, np.int64), none.astype(np.int32), none.astype(np.int64), none.astype(np.float32)
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
        np.r_[0, np.cumsum(counts)].astype(np.int64),
        items[known][order].astype(np.int32, copy=False),
        times[known][order].astype(np.int64, copy=False),
        -weights[known][order].astype(np.float32, copy=False),
    )
