"""Stage: clean the users of each block; what is refused goes to the quarantine at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from visrec.cluster.tasks import fetch, in_order, run_tasks, share
from visrec.ingest.chunks import SourceLines
from visrec.ingest.cleaning import CleaningRules, clean
from visrec.ingest.events import EVENT_SCHEMA
from visrec.ingest.quarantine import QUARANTINE_SCHEMA, REASONS, Tally, write_quarantine
from visrec.ingest.stages.read import RejectSummary
from visrec.storage import Location

_TABLES_PER_FILE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanLog:
    """The cleaned log.

    Attributes:
        blocks: References of `CleanBlock`, ranges of users in order.
        num_merged: Events that another one stands for.
        tally: Events refused by cleaning.
    """

    blocks: list[Any]
    num_merged: int
    tally: Tally


def quarantine_rows(rejects: pa.Table, places: SourceLines) -> pa.Table:
    """Refused log rows (`REJECT_SCHEMA`) as rows of `quarantine.parquet`."""
    names = pa.array([reason.value for reason in REASONS])
    rejects = rejects.combine_chunks()
    columns = {
        "source": pa.array(["interactions"] * rejects.num_rows, pa.string()),
        "location": places.format(np.asarray(rejects.column("chunk")), np.asarray(rejects.column("line"))),
        "reason": names.take(rejects.column("reason")),
        "detail": rejects.column("detail"),
    }
    return pa.table(columns, schema=QUARANTINE_SCHEMA)


def _write_rejects(folder: Location, name: str, places: SourceLines, *tables: pa.Table) -> None:
    write_quarantine(folder, name, quarantine_rows(pa.concat_tables(tables), places))


def write_read_rejects(tables: Sequence[Any], places: SourceLines, folder: Location) -> None:
    """Write what reading the log refused (references of tables of `REJECT_SCHEMA`) to the quarantine."""
    shared = share(places)
    groups = [tables[k : k + _TABLES_PER_FILE] for k in range(0, len(tables), _TABLES_PER_FILE)]
    arguments = ((folder, f"read-{number:05d}", shared, *group) for number, group in enumerate(groups))
    for _, reference in run_tasks(_write_rejects, arguments):
        fetch(reference)


def _clean_block(
    number: int, events: pa.Table, rules: CleaningRules, places: SourceLines, folder: Location
) -> tuple[Any, Any]:
    if not events.num_rows:  # the shuffle leaves an empty range without columns
        events = EVENT_SCHEMA.empty_table()
    block, rejects, num_merged = clean(events, rules)
    write_quarantine(folder, f"clean-{number:05d}", quarantine_rows(rejects, places))
    return block, (RejectSummary.of(rejects), num_merged, len(block.user_ids))


def clean_users(
    blocks: Sequence[Any],
    rules: CleaningRules,
    places: SourceLines,
    folder: Location,
    *,
    on_users: Callable[[int], None],
) -> CleanLog:
    """Clean every block.

    Args:
        blocks: References of tables of `EVENT_SCHEMA` with whole users.
        rules: What is dirt.
        places: Where rows stand.
        folder: Of `quarantine.parquet`.
        on_users: Told how many users have been cleaned, each time some have.
    """
    shared = share(rules), share(places), folder
    results: dict[int, tuple[Any, RejectSummary, int]] = {}
    arguments = ((number, block, *shared) for number, block in enumerate(blocks))
    for number, (block, reference) in run_tasks(_clean_block, arguments, num_returns=2):
        summary, num_merged, num_users = fetch(reference)
        results[number] = block, summary, num_merged
        on_users(num_users)
    counted = Tally()
    ordered = in_order(results.items())
    for _, summary, _ in ordered:
        counted.include(summary.tally(places))
    return CleanLog(
        blocks=[block for block, _, _ in ordered],
        num_merged=sum(merged for _, _, merged in ordered),
        tally=counted,
    )
