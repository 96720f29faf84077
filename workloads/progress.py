"""The progress of a training in the terminal: a bar for the running epoch, a line for each finished one."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from visrec.models.epochs import EpochRecord
from visrec.training.messages import (
    CachingStarted,
    MemberStarted,
    ProgressUpdate,
    SearchProgress,
    StepProgress,
    ValidationStarted,
)

ProgressLine = EpochRecord | MemberStarted
"""Updates that stay in the terminal as a line."""
_EPOCH_METRICS = ("ndcg@10", "recall@10", "precision@10", "f1@10", "auc")


class ProgressBoard:
    """The latest progress update of a training and the lines not yet read; in this process, or a Ray actor."""

    def __init__(self) -> None:
        self._latest: ProgressUpdate | None = None
        self._lines: list[ProgressLine] = []

    def tell(self, update: ProgressUpdate) -> None:
        """Receive a progress update of the training loop."""
        if isinstance(update, EpochRecord | MemberStarted):
            self._lines.append(update)
        else:
            self._latest = update

    def read(self) -> "tuple[ProgressUpdate | None, list[ProgressLine]]":
        """The latest update, and the epochs that have ended and members that have started since the last call."""
        lines, self._lines = self._lines, []
        return self._latest, lines


class TrainingProgress:
    """Progress bar of the running epoch, and a line for each epoch that has ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rates]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._bar.add_task("starting workers", total=None, rates="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, latest: ProgressUpdate | None, lines: "list[ProgressLine]") -> None:
        """Print the lines and draw the latest update."""
        for line in lines:
            text = _epoch_line(line) if isinstance(line, EpochRecord) else _member_line(line)
            self._console.print(text, soft_wrap=True)
        match latest:
            case StepProgress():
                self._bar.update(
                    self._task,
                    description=f"{latest.phase} {latest.epoch}/{latest.num_epochs}",
                    completed=latest.step,
                    total=latest.num_steps,
                    rates=f"loss {latest.loss:.4f}  {_rates(latest)}",
                )
            case ValidationStarted():
                description = f"{latest.phase} {latest.epoch} validating"
                self._bar.update(self._task, description=description, rates="")
            case SearchProgress():
                self._bar.update(
                    self._task,
                    description=f"{latest.member} searching its settings",
                    completed=latest.done,
                    total=latest.most,
                    rates="",
                )
            case CachingStarted():
                description = f"activations of {latest.num_blocks} frozen blocks"
                self._bar.update(self._task, description=description, rates="")


def _member_line(started: MemberStarted) -> str:
    left = f", all members about {_duration(started.seconds_left)}"
    rest = left if started.number < started.num_members else ""
    return (
        f"[bold]{started.member}[/bold] (member {started.number} of {started.num_members}): about "
        f"{_duration(started.seconds)}{rest}"
    )


def _duration(seconds: float) -> str:
    """A rough length of time for people.

    Example:
        >>> _duration(8.2), _duration(100)
        ('10 s', '2 min')
    """
    return f"{max(10, round(seconds, -1)):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _epoch_line(record: EpochRecord) -> str:
    shown = [name for name in _EPOCH_METRICS if name in record.metrics]
    metrics = "  ".join(f"{name} {record.metrics[name]:.4f}" for name in shown)
    return (
        f"  {record.phase} epoch {record.epoch:>3}  loss {record.loss:.4f}  {metrics}  "
        f"[dim]{_rates(record)}  {record.seconds:.1f} s[/dim]"
    )


def _rates(update: StepProgress | EpochRecord) -> str:
    return f"{update.images_per_second:,.0f} images/s  {update.sequences_per_second:,.0f} sequences/s"
