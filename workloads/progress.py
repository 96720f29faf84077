"""The progress of a training in the terminal: a bar for the running epoch, a line for each finished one."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from visrec.models.epochs import EpochRecord
from visrec.training.messages import CachingStarted, ProgressUpdate, StepProgress, ValidationStarted

_EPOCH_METRICS = ("ndcg@10", "recall@10", "precision@10", "f1@10", "auc")


class ProgressBoard:
    """The latest progress update of a training and the epochs not yet read; in this process, or a Ray actor."""

    def __init__(self) -> None:
        self._latest: ProgressUpdate | None = None
        self._epochs: list[EpochRecord] = []

    def tell(self, update: ProgressUpdate) -> None:
        """Receive a progress update of the training loop."""
        if isinstance(update, EpochRecord):
            self._epochs.append(update)
        else:
            self._latest = update

    def read(self) -> tuple[ProgressUpdate | None, list[EpochRecord]]:
        """The latest update, and the epochs that have ended since the last call."""
        epochs, self._epochs = self._epochs, []
        return self._latest, epochs


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

    def show(self, latest: ProgressUpdate | None, epochs: list[EpochRecord]) -> None:
        """Print the epochs that have ended and draw the latest update."""
        for record in epochs:
            self._console.print(_epoch_line(record), soft_wrap=True)
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
            case CachingStarted():
                description = f"activations of {latest.num_blocks} frozen blocks"
                self._bar.update(self._task, description=description, rates="")


def _epoch_line(record: EpochRecord) -> str:
    shown = [name for name in _EPOCH_METRICS if name in record.metrics]
    metrics = "  ".join(f"{name} {record.metrics[name]:.4f}" for name in shown)
    return (
        f"  {record.phase} epoch {record.epoch:>3}  loss {record.loss:.4f}  {metrics}  "
        f"[dim]{_rates(record)}  {record.seconds:.1f} s[/dim]"
    )


def _rates(update: StepProgress | EpochRecord) -> str:
    return f"{update.images_per_second:,.0f} images/s  {update.sequences_per_second:,.0f} sequences/s"
