"""Event ids that several events share, such as the id of a basket: no ids of events, and so no sign of repetition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.config.ingest import InteractionsConfig
from visrec.ingestion.chunks import SourceLines


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedEventIds:
    """Events whose id stands at another event of the same user too, one of another item or kind.

    Attributes:
        num_events: Such events.
        example: An id, and the (chunk, line) of two events that share it; None where there are none.
    """

    num_events: int = 0
    example: tuple[str, tuple[int, int], tuple[int, int]] | None = None

    def __add__(self, other: "SharedEventIds") -> "SharedEventIds":
        return SharedEventIds(
            num_events=self.num_events + other.num_events, example=self.example or other.example
        )

    def note(self, source_lines: SourceLines, logs: Mapping[str, InteractionsConfig]) -> str:
        """One line for the user.

        Args:
            source_lines: Locations of rows.
            logs: The logs by setting. Of several, an event id begins with the number of its log.
        """
        assert self.example is not None, "there are such events"
        event, *rows = self.example
        number, event = event.split(":", 1) if len(logs) > 1 else ("0", event)
        setting, log = list(logs.items())[int(number)]
        chunks, lines = zip(*rows, strict=True)
        first, second = source_lines.format(np.array(chunks), np.array(lines)).to_pylist()
        return (
            f"{setting}.columns.event_id: {log.columns.event_id!r} is no id of single events: {self.num_events:,} "
            f"events share theirs with an event of another item or kind and are kept, e.g. {event} at {first} and "
            f"{second}"
        )


def items_of_events(events: pa.Table) -> NDArray[np.int32]:
    """The row of the catalogue of each event's item; for items that are not in it a code below -1 for each id."""
    item = np.asarray(events.column("item"))
    unknown = events.column("item_id").combine_chunks().dictionary_encode().indices
    return np.where(item < 0, -2 - np.asarray(pc.fill_null(unknown, 0)), item).astype(np.int32)


def shared_event_ids(
    events: pa.Table, user: NDArray[np.int32], event: NDArray[np.int32], left: NDArray[np.int64]
) -> SharedEventIds:
    """Find the events that share their id, among those that repeat no other.

    Args:
        events: `EVENT_SCHEMA`.
        user: Code of the user, [N].
        event: Code of the event id, -1 where there is none, [N].
        left: Rows that are no repetitions.
    """
    rows = left[event[left] >= 0]
    _, groups, sizes = np.unique(
        user[rows].astype(np.int64) << 32 | event[rows], return_inverse=True, return_counts=True
    )
    sharing = np.flatnonzero(sizes[groups] > 1)
    if not len(sharing):
        return SharedEventIds()
    pair = rows[sharing[groups[sharing] == groups[sharing[0]]][:2]]
    first, second = (_place(events, int(row)) for row in pair)
    event_id: Any = events.column("event_id")[int(pair[0])].as_py()
    return SharedEventIds(num_events=len(sharing), example=(event_id, first, second))


def _place(events: pa.Table, row: int) -> tuple[int, int]:
    return events.column("chunk")[row].as_py(), events.column("line")[row].as_py()
