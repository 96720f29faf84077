"""Progress of a study: a live table in a terminal, one line for each ended trial elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from visrec.config import TuneWorkloadConfig
from visrec.tune.objectives import ranked
from visrec.tune.records import StudyLog, TrialRecord
from visrec.tune.report.markdown import format_setting, format_value
from visrec.tune.search import count_trials
from visrec.tune.space import ordered_keys

_REFRESH_SECONDS = 1.0
_SHOWN = 12
"""Most trials in the table."""
_WIDEST = 18
"""Characters of a column."""
_STYLES = {"running": "cyan", "finished": "green", "stopped": "dim", "failed": "red"}


class StudyTable:
    """Context that shows a study's log.

    Args:
        console: Where to print.
        job: The study's config.
        log: The study's log, read at each `show`.
    """

    def __init__(self, console: Console, job: TuneWorkloadConfig, log: StudyLog) -> None:
        self._console = console
        self._job = job
        self._log = log
        self._num_trials = count_trials(job)
        self._names = short_names(ordered_keys(job.tune.space))
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn = 0.0
        self._printed = {record.number for record in log.records if record.has_ended}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self) -> None:
        """Print trials that have ended since the last call, or draw the table, at most once a second."""
        if not self._console.is_terminal:
            for record in self._log.records:
                if record.has_ended and record.number not in self._printed:
                    self._printed.add(record.number)
                    self._console.print(self._line(record), soft_wrap=True)
        elif time.monotonic() - self._drawn > _REFRESH_SECONDS:
            self._drawn = time.monotonic()
            self._live.update(self._table(), refresh=True)

    def _line(self, record: TrialRecord) -> str:
        settings = "  ".join(
            f"{self._names.get(key, key)} {format_setting(v)}" for key, v in record.last_point.items()
        )
        reason = f"  {record.reason}" if record.status == "failed" else ""
        return (
            f"  trial {record.number:>3}  {record.status:<8}  {record.epochs}/{record.planned_epochs} epochs  "
            f"{self._values(record)}  {settings}  {record.seconds:.1f} s{reason}"
        )

    def _table(self) -> Group:
        records = self._log.records
        best = ranked(self._job.tune.objectives, records)
        running = [r for r in records if r.status == "running"]
        shown = (running + [r for r in best if r.status != "running"])[:_SHOWN]
        first = best[0].number if best else -1
        keys = list(self._names)
        table = self._rows(shown, keys, first)
        unbounded = self._console.options.update(max_width=10_000)
        while keys and self._console.measure(table, options=unbounded).maximum > self._console.width:
            keys.pop()
            table = self._rows(shown, keys, first)
        left_out = len(self._names) - len(keys)
        note = [Text(f"{left_out} more settings need a wider window", style="dim")] if left_out else []
        return Group(self._heading(records, best), table, *note)

    def _rows(self, records: list[TrialRecord], keys: list[str], best: int) -> Table:
        """The table with the settings `keys` as columns."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        objectives = [o.metric for o in self._job.tune.objectives]
        for title in ("trial", "state", "epochs", *objectives, *(self._names[key] for key in keys)):
            table.add_column(title, no_wrap=True, max_width=_WIDEST)
        for record in records:
            table.add_row(
                str(record.number),
                Text(record.status, style=_STYLES.get(record.status, "")),
                f"{record.epochs}/{record.planned_epochs}",
                *([format_value(v) for v in record.objectives or []] or [""] * len(objectives)),
                *(format_setting(record.last_point[key]) if key in record.last_point else "" for key in keys),
                style="bold" if record.number == best else "",
            )
        return table

    def _heading(self, records: list[TrialRecord], best: list[TrialRecord]) -> Text:
        count = {s: sum(r.status == s for r in records) for s in ("running", "finished", "stopped", "failed")}
        parts = [f"{number} {status}" for status, number in count.items() if number]
        lead = f"best trial {best[0].number}: {self._values(best[0])}" if best else "no result yet"
        return Text(f"{self._num_trials} trials: {', '.join(parts) or 'starting'}; {lead}")

    def _values(self, record: TrialRecord) -> str:
        found = record.objectives or []
        return "  ".join(
            f"{o.metric} {format_value(v)}" for o, v in zip(self._job.tune.objectives, found, strict=False)
        )


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Short column titles: key -> its shortest tail that no other key has.

    Example:
        >>> short_names(["model.dim", "model.item.dropout", "model.user.dropout"])
        {'model.dim': 'dim', 'model.item.dropout': 'item.dropout', 'model.user.dropout': 'user.dropout'}
        >>> short_names(["model.user.kind"])  # a kind or name alone says too little
        {'model.user.kind': 'user.kind'}
    """
    names = {}
    for key in keys:
        parts = key.split(".")
        least = 2 if parts[-1] in ("kind", "name") else 1
        tails = (".".join(parts[-count:]) for count in range(least, len(parts) + 1))
        others = [f".{other}" for other in keys if other != key]
        names[key] = next((t for t in tails if not any(o.endswith(f".{t}") for o in others)), key)
    return names
