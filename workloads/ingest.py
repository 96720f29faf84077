"""`visrec ingest`: from logs and pictures to a snapshot."""

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import IngestWorkloadConfig
from visrec.config.times import format_milliseconds
from visrec.data.facts import SnapshotFacts, TimeResolution
from visrec.data.snapshot import Snapshot
from visrec.ingestion.files import find_inputs
from visrec.ingestion.quarantine import RejectCounts
from visrec.ingestion.stages.build import BuiltSnapshot, build_snapshot, plan_snapshot
from visrec.storage import ArtifactStore, content_id
from visrec.workloads.settings import PlainSettings, workload_config, workload_console

_RESOLUTIONS: dict[TimeResolution, str] = {
    "moment": "all equal",
    "day": "whole days",
    "hour": "whole hours",
    "minute": "whole minutes",
    "second": "whole seconds",
    "millisecond": "milliseconds",
}

FORMAT_VERSION = 4
"""Part of a snapshot's name: goes up when the same input would give other files."""


def ingest(
    config: IngestWorkloadConfig | PlainSettings = None,
    *,
    console: Console | None = None,
    progress: bool = False,
    **settings: Any,
) -> Snapshot:
    """Make a snapshot of logs and pictures, or find the one that the same input and config gave before.

    Args:
        config: A finished config, a mapping, or the path of a YAML file; see `visrec.workloads.settings`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.
        **settings: Settings laid over the mapping, the file or the defaults.

    Raises:
        ConfigError: A setting is wrong.
        DataError: The input is missing or unreadable, too much of it is rejected, or nothing of it is left.
        ClusterError: Ray cannot be reached.

    Example:
        >>> visrec.ingest(workspace="shop", ingest={"interactions": {"path": "log.csv"}})   # doctest: +SKIP
        Snapshot('499fdf577b26': 40 users, 20 items, 20 pictures, /data/shop/snapshots/499fdf577b26)
    """
    started = time.perf_counter()
    job = workload_config(IngestWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    workspace = ArtifactStore(job.workspace)
    inputs = find_inputs(job.ingest)
    name = content_id("snapshot", FORMAT_VERSION, job.ingest, inputs.fingerprint)
    if workspace.has("snapshots", name):
        workspace.point("snapshots", name)
        console.print(f"found snapshot {name} of this input and config, nothing to do")
        return Snapshot.find(workspace, name)
    plan = plan_snapshot(job.ingest, inputs)
    if plan.catalogue.reading:
        console.print(plan.catalogue.reading, highlight=False, soft_wrap=True)
    # Ray ends first: no task may still write when the folder is finished or deleted.
    with workspace.create("snapshots", name, config=job) as writer, ray_session(job.ray):
        with StageProgress(console) as stages:
            built = build_snapshot(job.ingest, inputs, plan, writer.staging, stages)
        writer.counts.update(built.counts.to_json())
        writer.facts.update(built.facts.to_json())
    workspace.point("snapshots", name)
    console.print(_table(built, time.perf_counter() - started))
    for note in built.notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False)
    for note in time_notes(built.facts):
        console.print(note, soft_wrap=True)
    console.print(f"snapshot {name} in {workspace.location('snapshots', name)}", soft_wrap=True)
    return Snapshot.find(workspace, name)


class StageProgress:
    """Progress of the stages: a bar each on a terminal, elsewhere a line for each finished stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._stage: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._end()
        self._bars.stop()

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins; the one before has ended."""
        self._end()
        self._stage = self._bars.add_task(stage, total=total)

    def advance(self, count: int) -> None:
        """Count further finished units of the current stage."""
        if self._stage is not None:
            self._bars.advance(self._stage, count)

    def _end(self) -> None:
        if self._stage is None:
            return
        stage = self._bars.tasks[self._stage]
        self._bars.update(self._stage, total=stage.completed)
        if not self._console.is_terminal:
            self._console.print(
                f"{stage.description} {stage.completed:,.0f} [dim]({stage.elapsed or 0:.1f} s)[/dim]"
            )
        self._stage = None


def _table(built: BuiltSnapshot, seconds: float) -> Table:
    counts = built.counts
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_row("rows read", f"{counts.num_rows_read:,}")
    table.add_row("rows kept", f"{counts.num_interactions:,}")
    table.add_row("rows merged into others", f"{counts.num_merged_events:,}")
    _add_reasons(table, "rows rejected", built.rejected_rows)
    table.add_row("users", f"{counts.num_users:,}")
    table.add_row("positives in sequences", f"{counts.num_positives:,}")
    table.add_row("items read", f"{counts.num_items_read:,}")
    table.add_row("items kept", f"{counts.num_items:,}")
    table.add_row("pictures decoded", f"{counts.num_images - counts.num_rejected_images:,}")
    if counts.num_left_out_images:
        table.add_row("pictures beyond max_per_item, not read", f"{counts.num_left_out_images:,}")
    _add_reasons(table, "items and pictures rejected", built.rejected_items)
    if counts.num_unreadable_item_values:
        table.add_row("item attributes that could not be read", f"{counts.num_unreadable_item_values:,}")
    table.add_row("time", f"{seconds:.1f} s")
    return table


def _add_reasons(table: Table, title: str, rejected: RejectCounts) -> None:
    table.add_row(title, f"{rejected.total:,}")
    for reason, count in rejected.counts.most_common():
        if count:
            table.add_row(f"  [dim]{reason.value}[/dim]", f"[dim]{count:,}[/dim]")


def time_notes(facts: SnapshotFacts) -> list[str]:
    """Lines on what the times of the log can tell, and what they cannot."""
    times = facts.times
    if times is None:
        return []
    several = len(times.resolutions) > 1
    logs = [
        f"{_RESOLUTIONS[resolution]} ({setting})" if several else _RESOLUTIONS[resolution]
        for setting, resolution in times.resolutions.items()
    ]
    lines = [
        f"times: {', '.join(logs)}; {times.tied_share:.1%} of events share their time with another of the same user"
    ]
    if {"moment", "day", "hour"} & set(times.resolutions.values()):
        lines[0] += "; the rate of bots is measured over the span that the times tell, not by minute"
    if times.num_unrated_users:
        lines.append(
            "users above bot_events_per_minute that are kept, since their times are too coarse to tell a rate: "
            f"{times.num_unrated_users:,}"
        )
    validation_from, test_from = facts.global_time_cuts
    if validation_from == test_from:
        lines.append(
            f"the split global_time has no validation part: both cuts lie at {format_milliseconds(test_from)}, since "
            "too many positives have this time, or there are too few in all; use leave_one_out"
        )
    return lines
