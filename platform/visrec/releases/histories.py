"""Users' last events in a release: written in blocks of users, read by user id from memory-mapped Arrow files.

`histories.arrow` (positives) and `reactions.arrow` (negatives and views, for the ranker) have one row per user in the
snapshot's order; `users.arrow` has the user ids in text order with their rows. A look-up is a binary search in the
latter and one read in the former; none of the files is held in memory.
"""

from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.arrays import Ragged
from visrec.data.history import History
from visrec.errors import ArtifactError
from visrec.storage import Artifact, Location

HISTORIES = "histories.arrow"
REACTIONS = "reactions.arrow"
USERS = "users.arrow"
_SCHEMA = pa.schema(
    {"items": pa.list_(pa.int32()), "kinds": pa.list_(pa.int8()), "times": pa.list_(pa.int64())}
)


class EventBlock(Protocol):
    """Ragged events of a block of users: `Sequences`, or the `InteractionBlock` of its users."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Begin of each user's events, and the end: int64 [U + 1]."""
        ...

    @property
    def items(self) -> NDArray[np.int32]:
        """Item indices, int32 [N]."""
        ...

    @property
    def kinds(self) -> NDArray[np.int8]:
        """Codes of event kinds, int8 [N]."""
        ...

    @property
    def times(self) -> NDArray[np.int64]:
        """Milliseconds, int64 [N]."""
        ...


def write_histories(
    folder: Location, blocks: Iterable[EventBlock], *, max_history: int, file: str = HISTORIES
) -> None:
    """Write the last `max_history` events of each user; the blocks come in order of user index."""
    place = folder / file
    with (
        place.filesystem.open_output_stream(place.path) as stream,
        pa.ipc.new_file(stream, _SCHEMA) as writer,
    ):
        for block in blocks:
            writer.write_batch(_batch(block, max_history))


def write_users(folder: Location, user_ids: Iterable[Any]) -> int:
    """Write the ids of all users, given as pyarrow string arrays in row order; returns their number."""
    ids = pa.chunked_array(list(user_ids), pa.string()).cast(pa.large_string())
    order = pc.sort_indices(ids)
    batch = pa.record_batch({"user_id": ids.combine_chunks().take(order), "row": order.cast(pa.int64())})
    place = folder / USERS
    with (
        place.filesystem.open_output_stream(place.path) as stream,
        pa.ipc.new_file(stream, batch.schema) as writer,
    ):
        writer.write_batch(batch)
    return len(ids)


class Histories:
    """Histories by user id.

    Example:
        >>> release.histories.find("u00017").items          # doctest: +SKIP
        array([12, 803, 44], dtype=int32)
    """

    def __init__(self, artifact: Artifact, file: str = HISTORIES) -> None:
        """Map the files of a release into memory.

        Raises:
            ArtifactError: A file is missing or damaged.
        """
        users = _map(artifact.local_path(USERS))
        self._ids = users.column("user_id").combine_chunks()
        self._rows = np.asarray(users.column("row").combine_chunks())
        self._blocks = _map(artifact.local_path(file)).to_batches()
        self._starts = np.cumsum([0, *(b.num_rows for b in self._blocks)])

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, user_id: str) -> History | None:
        """The user's history, or None for an unknown user."""
        place = bisect_left(range(len(self)), user_id, key=lambda i: str(self._ids[i].as_py()))
        if place == len(self) or self._ids[place].as_py() != user_id:
            return None
        row = int(self._rows[place])
        block = int(np.searchsorted(self._starts, row, side="right")) - 1
        event_lists = [
            self._blocks[block].column(name)[row - self._starts[block]].values for name in _SCHEMA.names
        ]
        items, kinds, times = (values.to_numpy() for values in event_lists)
        return History(items=items, kinds=kinds, times=times)


def _batch(block: EventBlock, max_history: int) -> Any:
    last = Ragged(offsets=block.offsets, values=block.items).last(max_history)
    offsets = last.offsets.astype(np.int32)
    columns: tuple[NDArray[Any], ...] = (block.items, block.kinds, block.times)
    lists = [pa.ListArray.from_arrays(offsets, pa.array(values[last.values])) for values in columns]
    return pa.record_batch(lists, schema=_SCHEMA)


def _map(path: Path) -> Any:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise ArtifactError(f"{path} is damaged or missing: {error}") from None
