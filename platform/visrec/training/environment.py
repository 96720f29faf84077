"""Runtime interface of the training loop: rank, all-reduce, reporting.

The loop is one plain function. Given a `LocalEnvironment` it runs in this process and needs no Ray; given a
`visrec.cluster.training.RayEnvironment` it is a worker of Ray Train.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import nn

from visrec.models.epochs import EpochRecord
from visrec.training.messages import ProgressUpdate, Report

ProgressCallback = Callable[[ProgressUpdate], None]
CheckpointWriter = Callable[[Path], None]
"""Writes the files of a checkpoint into a folder."""


class TrainEnvironment(Protocol):
    """The environment of one training worker."""

    @property
    def rank(self) -> int:
        """Number of this worker, from 0."""

    @property
    def world_size(self) -> int:
        """Number of workers."""

    @property
    def device(self) -> torch.device:
        """Device of the model."""

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with gradients averaged over the workers."""

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """All-reduce: the sum of every worker's array. All workers must call it, in the same order."""

    def share_buffers(self, model: nn.Module) -> None:
        """Broadcast the buffers of the first worker: batch-norm statistics, which each worker gathers on its own."""

    def report(self, report: Report, write_checkpoint: CheckpointWriter) -> None:
        """Report with a checkpoint, which the first worker writes. All workers must call it equally often."""

    def resume(self) -> AbstractContextManager[Path | None]:
        """Context with the folder of the last checkpoint; None for a new run."""

    def progress(self, update: ProgressUpdate) -> None:
        """Send a progress update; cheap, and it may be dropped."""


class LocalEnvironment:
    """A single process on the CPU that keeps the last checkpoint in a folder.

    Args:
        folder: Folder of the run; `last` in it is the last checkpoint.
        on_progress: Called with each progress update.

    Example:
        >>> LocalEnvironment(Path("run")).world_size
        1
    """

    rank = 0
    world_size = 1
    device = torch.device("cpu")

    def __init__(self, folder: Path, on_progress: ProgressCallback | None = None) -> None:
        self.folder = folder
        self.reports: list[Report] = []
        self._on_progress = on_progress

    @property
    def epochs(self) -> list[EpochRecord]:
        """Records of the epochs that this process has run."""
        return [report for report in self.reports if isinstance(report, EpochRecord)]

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model itself."""
        return model

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array itself."""
        return array

    def share_buffers(self, model: nn.Module) -> None:
        """Nothing to do for a single worker."""

    def report(self, report: Report, write_checkpoint: CheckpointWriter) -> None:
        """Keep the report and replace the last checkpoint; a kill leaves the old one or the new one whole."""
        self.reports.append(report)
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".last-", dir=self.folder))
        write_checkpoint(fresh)
        if self._last.exists():
            shutil.rmtree(self._old, ignore_errors=True)
            self._last.rename(self._old)
        fresh.rename(self._last)
        shutil.rmtree(self._old, ignore_errors=True)

    @contextmanager
    def resume(self) -> Iterator[Path | None]:
        """The last checkpoint's folder; the one before where a kill came between the two renames of a report."""
        yield next((folder for folder in (self._last, self._old) if folder.exists()), None)

    def progress(self, update: ProgressUpdate) -> None:
        """Call back."""
        if self._on_progress is not None:
            self._on_progress(update)

    @property
    def _last(self) -> Path:
        return self.folder / "last"

    @property
    def _old(self) -> Path:
        return self.folder / ".old"
