"""The progress of a training in the terminal: a bar for the running epoch, a line for each finished one."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_EPOCH_METRICS = ("ndcg@10", "recall@10", "precision@10", "f1@10", "auc")


class ProgressBoard:
    """The latest progress update of a training and the epoch reports not yet read; in this process, or a Ray actor."""

    def __init__(self) -> None:
        self._latest: dict[str, Any] = {}
        self._reports: list[dict[str, Any]] = []

    def tell(self, update: dict[str, Any]) -> None:
        """Record an update of a training environment."""
        if "report" in update:
            self._reports.append(update["report"])
        else:
            self._latest = update

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The latest step, and the reports since the last call."""
        reports, self._reports = self._reports, []
        return self._latest, reports


class TrainingProgress:
    """A progress bar for the running epoch, a line for each finished one."""

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

    def show(self, latest: dict[str, Any], reports: list[dict[str, Any]]) -> None:
        """Draw the latest step and print the finished epochs."""
        for report in reports:
            if "loss" in report:
                self._console.print(_epoch_line(report), soft_wrap=True)
        if "step" in latest:
            rates = (
                f"loss {latest['loss']:.4f}  {latest['images_per_second']:,.0f} images/s  "
                f"{latest['sequences_per_second']:,.0f} sequences/s"
            )
            description = f"{latest['phase']} {latest['epoch']}/{latest['epochs']}"
            self._bar.update(
                self._task,
                description=description,
                completed=latest["step"],
                total=latest["steps"],
                rates=rates,
            )
        elif "caching" in latest:
            description = f"activations of {latest['caching']} frozen blocks"
            self._bar.update(self._task, description=description, rates="")
        elif latest.get("validating"):
            self._bar.update(
                self._task, description=f"{latest['phase']} {latest['epoch']} validating", rates=""
            )


def _epoch_line(report: dict[str, Any]) -> str:
    metrics = "  ".join(f"{name} {report[name]:.4f}" for name in _EPOCH_METRICS if name in report)
    return (
        f"  {report['phase']} epoch {report['epoch']:>3}  loss {report['loss']:.4f}  {metrics}  "
        f"[dim]{report['images_per_second']:,.0f} images/s  {report['sequences_per_second']:,.0f} sequences/s  "
        f"{report['seconds']:.1f} s[/dim]"
    )
