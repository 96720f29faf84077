"""The progress of training workers, seen from the command that started them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import ray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

POLL_SECONDS = 0.3
_EPOCH_METRICS = ("ndcg@10", "recall@10", "precision@10", "f1@10", "auc")


class ProgressBoard:
    """What training told last, and the epochs that nobody has read yet. Lives in a Ray actor, or in this process."""

    def __init__(self) -> None:
        self._latest: dict[str, Any] = {}
        self._reports: list[dict[str, Any]] = []

    def tell(self, update: dict[str, Any]) -> None:
        """Take an update of a training environment."""
        if "report" in update:
            self._reports.append(update["report"])
        else:
            self._latest = update

    def read(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The latest step, and the reports since the last call."""
        reports, self._reports = self._reports, []
        return self._latest, reports


class TrainingProgress:
    """A bar for the epoch that runs, a line for each that ended."""

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
        """Draw the latest step and print the epochs."""
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


@contextmanager
def follow(console: Console) -> Iterator[Any]:
    """Show what training workers tell; yields the actor handle that they tell it to (`handle.tell.remote(update)`)."""
    # Fractions of a CPU: the board must never be what a worker waits for.
    board = ray.remote(num_cpus=0)(ProgressBoard).remote()
    stop = threading.Event()
    with TrainingProgress(console) as progress:

        def poll() -> None:
            while not stop.wait(POLL_SECONDS):
                progress.show(*ray.get(board.read.remote()))

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        try:
            yield board
        finally:
            stop.set()
            thread.join()
            progress.show(*ray.get(board.read.remote()))
            ray.kill(board)


def _epoch_line(report: dict[str, Any]) -> str:
    metrics = "  ".join(f"{name} {report[name]:.4f}" for name in _EPOCH_METRICS if name in report)
    return (
        f"  {report['phase']} epoch {report['epoch']:>3}  loss {report['loss']:.4f}  {metrics}  "
        f"[dim]{report['images_per_second']:,.0f} images/s  {report['sequences_per_second']:,.0f} sequences/s  "
        f"{report['seconds']:.1f} s[/dim]"
    )
