"""Stage: write the tables of the snapshot; each block of users is one part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.cluster.tasks import fetch, run_tasks, share
from visrec.data.images import PictureRows
from visrec.data.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, SEQUENCES_SCHEMA, USERS_PER_ROW_GROUP
from visrec.data.splits import global_time_marks, leave_one_out_marks
from visrec.ingestion.chunks import SourceLines
from visrec.ingestion.cleaning import CleanBlock
from visrec.ingestion.k_core import kept_users, sequence_events
from visrec.ingestion.quarantine import REASON_CODES, REJECT_SCHEMA, Reason, write_rejected_rows
from visrec.ingestion.source_catalogue import SourceCatalogue
from visrec.ingestion.stages.global_stats import GlobalStats
from visrec.storage import Location

_ROWS_PER_ROW_GROUP = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenCounts:
    """Rows of one part, or of all parts.

    Attributes:
        num_interactions: Rows of `interactions.parquet`.
        num_positives: Events of all sequences.
        num_below_core: Events of users and items outside the k-core.
        num_empty_users: Users without a positive.
        num_tied: Rows of `interactions.parquet` that share user and time with another one.
    """

    num_interactions: int = 0
    num_positives: int = 0
    num_below_core: int = 0
    num_empty_users: int = 0
    num_tied: int = 0

    def __add__(self, other: "WrittenCounts") -> "WrittenCounts":
        return WrittenCounts(
            num_interactions=self.num_interactions + other.num_interactions,
            num_positives=self.num_positives + other.num_positives,
            num_below_core=self.num_below_core + other.num_below_core,
            num_empty_users=self.num_empty_users + other.num_empty_users,
            num_tied=self.num_tied + other.num_tied,
        )


def write_users(
    blocks: Sequence[Any],
    stats: GlobalStats,
    source_lines: SourceLines,
    folder: Location,
    *,
    on_users: Callable[[int], None],
) -> WrittenCounts:
    """Write `interactions.parquet`, `sequences.parquet` and what the k-core rejects of every block.

    Args:
        blocks: References of `CleanBlock`.
        stats: Who and what is kept.
        source_lines: Locations of rows.
        folder: The snapshot's folder.
        on_users: Called with the number of users written, each time some have been.
    """
    shared = share(stats), share(source_lines), folder
    ends = [*stats.first_user[1:], stats.num_users]
    total = WrittenCounts()
    for number, reference in run_tasks(write_block, ((block, n, *shared) for n, block in enumerate(blocks))):
        total += fetch(reference)
        on_users(ends[number] - stats.first_user[number])
    return total


def write_items(catalogue: SourceCatalogue, rows: PictureRows, stats: GlobalStats, folder: Location) -> None:
    """Write `items.parquet`: the items that are kept.

    Args:
        catalogue: All items.
        rows: Rows of their pictures.
        stats: Which items are kept.
        folder: The snapshot's folder.
    """
    kept: NDArray[np.int64] = np.flatnonzero(stats.kept_items)
    items = catalogue.items.take(pa.array(kept))
    further = pa.ListArray.from_arrays(pa.array(rows.more.offsets, pa.int32()), pa.array(rows.more.values))
    columns = {
        "item_index": pa.array(np.arange(len(kept), dtype=np.int32)),
        "image_row": pa.array(rows.main_I[kept]),
        "more_image_rows": further.take(pa.array(kept)),
        **{name: items.column(name) for name in items.schema.names},
        "num_positives": pa.array(stats.num_positives[kept]),
    }
    table = _table(columns, ITEMS_SCHEMA)
    pq.write_table(table, f"{folder.path}/items.parquet", filesystem=folder.filesystem)


def write_block(
    block: CleanBlock, number: int, stats: GlobalStats, source_lines: SourceLines, folder: Location
) -> WrittenCounts:
    """Write one part of `interactions.parquet`, `sequences.parquet` and `quarantine.parquet`.

    Args:
        block: Users and their events.
        number: Of the part.
        stats: Who and what is kept.
        source_lines: Locations of rows.
        folder: The snapshot's folder.
    """
    users = kept_users(block, stats.kept_items, stats.k)
    keep = stats.kept_items[block.column("item")] & users[block.column("user")]
    removed = block.events.filter(pa.array(~keep))
    write_rejected_rows(
        folder / "quarantine.parquet", f"core-{number:05d}", _as_rejects(removed), source_lines
    )
    if not users.any():
        return WrittenCounts(num_below_core=removed.num_rows)
    user_index = (np.cumsum(users) - 1 + stats.first_user[number]).astype(np.int32)
    item_index = (np.cumsum(stats.kept_items) - 1).astype(np.int32)
    interactions = _interactions(block.events.filter(pa.array(keep)), user_index, item_index)
    _write(interactions, folder / "interactions.parquet", number, _ROWS_PER_ROW_GROUP)
    sequences = _sequences(block, sequence_events(block, stats.kept_items, users), users, user_index, stats)
    _write(sequences, folder / "sequences.parquet", number, USERS_PER_ROW_GROUP)
    lengths = np.diff(np.asarray(sequences.column("items").combine_chunks().offsets))
    return WrittenCounts(
        num_interactions=interactions.num_rows,
        num_positives=int(lengths.sum()),
        num_below_core=removed.num_rows,
        num_empty_users=int((lengths == 0).sum()),
        num_tied=_num_tied(interactions),
    )


def _interactions(events: pa.Table, user_index: NDArray[np.int32], item_index: NDArray[np.int32]) -> pa.Table:
    columns = {name: events.column(name) for name in ("kind", "weight", "time", "position", "session_id")}
    columns["user_index"] = pa.array(user_index[np.asarray(events.column("user"))])
    columns["item_index"] = pa.array(item_index[np.asarray(events.column("item"))])
    return _table(columns, INTERACTIONS_SCHEMA)


def _num_tied(interactions: pa.Table) -> int:
    """Rows, in their order, that share user and time with another one."""
    user, time = (np.asarray(interactions.column(name)) for name in ("user_index", "time"))
    as_before = (user[1:] == user[:-1]) & (time[1:] == time[:-1])
    return int((np.r_[as_before, False] | np.r_[False, as_before]).sum())


def _sequences(
    block: CleanBlock,
    chosen: NDArray[np.bool_],
    users: NDArray[np.bool_],
    user_index: NDArray[np.int32],
    stats: GlobalStats,
) -> pa.Table:
    """One row a user; the events have their order already."""
    item_index = (np.cumsum(stats.kept_items) - 1).astype(np.int32)
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
        "global_time": global_time_marks(times, *stats.cuts),
    }
    columns = {
        name: pa.ListArray.from_arrays(pa.array(offsets), pa.array(values)) for name, values in lists.items()
    }
    columns["user_index"] = pa.array(user_index[users])
    columns["user_id"] = block.user_ids.filter(pa.array(users))
    return _table(columns, SEQUENCES_SCHEMA)


def _as_rejects(events: pa.Table) -> pa.Table:
    reason = pa.array(np.full(events.num_rows, REASON_CODES[Reason.BELOW_K_CORE], np.int8))
    detail = pa.array([""] * events.num_rows, pa.string())
    return pa.table(
        {"chunk": events.column("chunk"), "line": events.column("line"), "reason": reason, "detail": detail},
        schema=REJECT_SCHEMA,
    )


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    return pa.table(columns).select(schema.names).cast(schema)


def _write(table: pa.Table, folder: Location, number: int, rows_per_group: int) -> None:
    path = f"{folder.path}/part-{number:05d}.parquet"
    pq.write_table(table, path, filesystem=folder.filesystem, row_group_size=rows_per_group)
