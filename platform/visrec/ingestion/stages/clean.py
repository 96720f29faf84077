"""Stage: clean the users of each block; rejected rows go to the quarantine at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from visrec.cluster.tasks import fetch, in_order, run_tasks, share
from visrec.ingestion.chunks import SourceLines
from visrec.ingestion.cleaning import CleaningRules, clean
from visrec.ingestion.event_ids import SharedEventIds
from visrec.ingestion.events import EVENT_SCHEMA
from visrec.ingestion.quarantine import RejectCounts, RejectSummary, write_rejected_rows
from visrec.storage import Location

_TABLES_PER_FILE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanLog:
    """The cleaned log, in the object store.

    Attributes:
        blocks: References of `CleanBlock`, ranges of users in order.
        num_merged: Events that were merged into others.
        num_unrated_users: Users above the rate of bots whose times are too coarse to tell a rate.
        rejected: Events rejected by cleaning.
        shared_event_ids: Events whose event id is that of other events, too.
    """

    blocks: list[Any]
    num_merged: int
    num_unrated_users: int
    rejected: RejectCounts
    shared_event_ids: SharedEventIds


def clean_users(
    blocks: Sequence[Any],
    rules: CleaningRules,
    source_lines: SourceLines,
    quarantine: Location,
    *,
    on_users: Callable[[int], None],
) -> CleanLog:
    """Clean every block.

    Args:
        blocks: References of tables of `EVENT_SCHEMA` with whole users.
        rules: Parameters of cleaning.
        source_lines: Locations of rows.
        quarantine: Folder `quarantine.parquet`.
        on_users: Called with the number of users cleaned, each time some have been.
    """
    shared = share(rules), share(source_lines), quarantine
    results: dict[int, tuple[Any, _BlockSummary]] = {}
    arguments = ((number, block, *shared) for number, block in enumerate(blocks))
    for number, (block, reference) in run_tasks(_clean_block, arguments, num_returns=2):
        results[number] = block, fetch(reference)
        on_users(results[number][1].num_users)
    rejected = RejectCounts()
    ordered = in_order(results.items())
    for _, summary in ordered:
        rejected.include(summary.rejects.resolve(source_lines))
    return CleanLog(
        blocks=[block for block, _ in ordered],
        num_merged=sum(summary.num_merged for _, summary in ordered),
        num_unrated_users=sum(summary.num_unrated_users for _, summary in ordered),
        rejected=rejected,
        shared_event_ids=sum((summary.shared_event_ids for _, summary in ordered), SharedEventIds()),
    )


def write_read_rejects(tables: Sequence[Any], source_lines: SourceLines, quarantine: Location) -> None:
    """Write the rows that were rejected when the logs were read: references of tables of `REJECT_SCHEMA`."""
    shared = share(source_lines)
    groups = [tables[k : k + _TABLES_PER_FILE] for k in range(0, len(tables), _TABLES_PER_FILE)]
    arguments = ((quarantine, f"read-{number:05d}", shared, *group) for number, group in enumerate(groups))
    for _, reference in run_tasks(_write_tables, arguments):
        fetch(reference)


@dataclass(frozen=True, kw_only=True, slots=True)
class _BlockSummary:
    """Summary of one cleaned block, for the driver."""

    rejects: RejectSummary
    num_merged: int
    num_unrated_users: int
    num_users: int
    shared_event_ids: SharedEventIds


def _clean_block(
    number: int, events: pa.Table, rules: CleaningRules, source_lines: SourceLines, quarantine: Location
) -> tuple[Any, Any]:
    if not events.num_rows:  # the shuffle leaves an empty range without columns
        events = EVENT_SCHEMA.empty_table()
    result = clean(events, rules)
    write_rejected_rows(quarantine, f"clean-{number:05d}", result.rejects, source_lines)
    return result.block, _BlockSummary(
        rejects=RejectSummary.of(result.rejects),
        num_merged=result.num_merged,
        num_unrated_users=result.num_unrated_users,
        num_users=len(result.block.user_ids),
        shared_event_ids=result.shared_event_ids,
    )


def _write_tables(quarantine: Location, name: str, source_lines: SourceLines, *tables: pa.Table) -> None:
    write_rejected_rows(quarantine, name, pa.concat_tables(tables), source_lines)
