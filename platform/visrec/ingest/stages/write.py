"""Stage: write the users of each block as a part of the snapshot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.cluster.tasks import fetch, run_tasks, share
from visrec.data.snapshot import USERS_PER_ROW_GROUP
from visrec.data.splits import global_time_marks, leave_one_out_marks
from visrec.ingest.chunks import SourceLines
from visrec.ingest.cleaning import CleanBlock
from visrec.ingest.quarantine import CODE, Reason, write_quarantine
from visrec.ingest.stages.clean import quarantine_rows
from visrec.ingest.stages.global_stats import GlobalStats, kept_users, sequence_events
from visrec.storage import Location

INTERACTIONS_SCHEMA = pa.schema(
    [
        ("user_index", pa.int32()),
        ("item_index", pa.int32()),
        ("kind", pa.int8()),
        ("weight", pa.float32()),
        ("time", pa.int64()),
        ("position", pa.int32()),
        ("session_id", pa.string()),
    ]
)
SEQUENCES_SCHEMA = pa.schema(
    [
        ("user_index", pa.int32()),
        ("user_id", pa.string()),
        ("items", pa.list_(pa.int32())),
        ("kinds", pa.list_(pa.int8())),
        ("times", pa.list_(pa.int64())),
        ("weights", pa.list_(pa.float32())),
        ("leave_one_out", pa.list_(pa.int8())),
        ("global_time", pa.list_(pa.int8())),
    ]
)
_ROWS_PER_ROW_GROUP = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """Rows of one part, or of all.

    Attributes:
        num_interactions: Rows of `interactions.parquet`.
        num_positives: Events of all sequences.
        num_below_core: Events that the k-core took away.
        num_empty_users: Users without a positive.
    """

    num_interactions: int = 0
    num_positives: int = 0
    num_below_core: int = 0
    num_empty_users: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(
            num_interactions=self.num_interactions + other.num_interactions,
            num_positives=self.num_positives + other.num_positives,
            num_below_core=self.num_below_core + other.num_below_core,
            num_empty_users=self.num_empty_users + other.num_empty_users,
        )


def write_block(
    block: CleanBlock, number: int, core: GlobalStats, places: SourceLines, folder: Location
) -> Written:
    """Write one part of `interactions.parquet`, `sequences.parquet` and `quarantine.parquet`.

    Args:
        block: Users and their events.
        number: Of the part.
        core: Who and what stays.
        places: Where rows stand.
        folder: The snapshot's folder.
    """
    users = kept_users(block, core.kept_items, core.k)
    keep = core.kept_items[block.column("item")] & users[block.column("user")]
    lost = block.events.filter(pa.array(~keep))
    write_quarantine(
        folder / "quarantine.parquet", f"core-{number:05d}", quarantine_rows(_lost(lost), places)
    )
    if not users.any():
        return Written(num_below_core=lost.num_rows)
    user_index = (np.cumsum(users) - 1 + core.first_user[number]).astype(np.int32)
    item_index = (np.cumsum(core.kept_items) - 1).astype(np.int32)
    interactions = _interactions(block.events.filter(pa.array(keep)), user_index, item_index)
    _write(interactions, folder / "interactions.parquet", number, _ROWS_PER_ROW_GROUP)
    sequences = _sequences(block, sequence_events(block, core.kept_items, users), users, user_index, core)
    _write(sequences, folder / "sequences.parquet", number, USERS_PER_ROW_GROUP)
    lengths = np.diff(np.asarray(sequences.column("items").combine_chunks().offsets))
    return Written(
        num_interactions=interactions.num_rows,
        num_positives=int(lengths.sum()),
        num_below_core=lost.num_rows,
        num_empty_users=int((lengths == 0).sum()),
    )


def _interactions(events: pa.Table, user_index: NDArray[np.int32], item_index: NDArray[np.int32]) -> pa.Table:
    columns = {name: events.column(name) for name in ("kind", "weight", "time", "position", "session_id")}
    columns["user_index"] = pa.array(user_index[np.asarray(events.column("user"))])
    columns["item_index"] = pa.array(item_index[np.asarray(events.column("item"))])
    return pa.table(columns).select(INTERACTIONS_SCHEMA.names).cast(INTERACTIONS_SCHEMA)


def _sequences(
    block: CleanBlock,
    chosen: NDArray[np.bool_],
    users: NDArray[np.bool_],
    user_index: NDArray[np.int32],
    core: GlobalStats,
) -> pa.Table:
    """One row a user; events are in order of (user, time, item) already."""
    item_index = (np.cumsum(core.kept_items) - 1).astype(np.int32)
    lengths = np.bincount(block.column("user")[chosen], minlength=len(users))[users]
    offsets = np.r_[0, np.cumsum(lengths)].astype(np.int32)
    times = block.column("time")[chosen]
    marks = [leave_one_out_marks(int(length)) for length in lengths]
    lists = {
        "items": item_index[block.column("item")[chosen]],
        "kinds": block.column("kind")[chosen],
        "times": times,
        "weights": block.column("weight")[chosen],
        "leave_one_out": np.concatenate([*marks, np.zeros(0, np.int8)]),
        "global_time": global_time_marks(times, *core.cuts),
    }
    columns = {
        name: pa.ListArray.from_arrays(pa.array(offsets), pa.array(values)) for name, values in lists.items()
    }
    columns["user_index"] = pa.array(user_index[users])
    columns["user_id"] = block.user_ids.filter(pa.array(users))
    return pa.table(columns).select(SEQUENCES_SCHEMA.names).cast(SEQUENCES_SCHEMA)


def _lost(events: pa.Table) -> pa.Table:
    reason = pa.array(np.full(events.num_rows, CODE[Reason.BELOW_K_CORE], np.int8))
    detail = pa.array([""] * events.num_rows, pa.string())
    return pa.table(
        {"chunk": events.column("chunk"), "line": events.column("line"), "reason": reason, "detail": detail}
    )


def _write(table: pa.Table, folder: Location, number: int, rows_per_group: int) -> None:
    path = f"{folder.path}/part-{number:05d}.parquet"
    pq.write_table(table, path, filesystem=folder.filesystem, row_group_size=rows_per_group)


def write_users(
    blocks: Sequence[Any],
    core: GlobalStats,
    places: SourceLines,
    folder: Location,
    *,
    on_users: Callable[[int], None],
) -> Written:
    """Write every block.

    Args:
        blocks: References of `CleanBlock`.
        core: Who and what stays.
        places: Where rows stand.
        folder: The snapshot's folder.
        on_users: Told how many users have been written, each time some have.
    """
    shared = share(core), share(places), folder
    ends = [*core.first_user[1:], core.num_users]
    total = Written()
    for number, reference in run_tasks(write_block, ((block, n, *shared) for n, block in enumerate(blocks))):
        total += fetch(reference)
        on_users(ends[number] - core.first_user[number])
    return total
