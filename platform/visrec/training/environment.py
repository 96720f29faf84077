"""What the training loop needs from outside: its place among the workers, sums over them, reports, progress.

The loop is one plain function. Given a `LocalEnvironment` it runs in this process and needs no Ray; given a
`visrec.cluster.training.RayEnvironment` it is a worker of Ray Train.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import nn

ProgressCallback = Callable[[dict[str, Any]], None]


class TrainEnvironment(Protocol):
    """The outside of one training worker."""

    @property
    def rank(self) -> int:
        """Place among the workers."""

    @property
    def world_size(self) -> int:
        """Number of workers."""

    @property
    def device(self) -> torch.device:
        """Where the model runs."""

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with gradients averaged over the workers."""

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """Sum of every worker's array; all call it in the same order."""

    def share_buffers(self, model: nn.Module) -> None:
        """Give every worker the first worker's buffers: statistics of batch norms, which each gathers on its own."""

    def report(self, metrics: dict[str, Any], write_checkpoint: Callable[[Path], None]) -> None:
        """Hand over metrics and a checkpoint, which the first worker writes; all call it equally often."""

    def resume(self) -> Any:
        """Context with the folder of the last checkpoint, or None."""

    def progress(self, update: dict[str, Any]) -> None:
        """Tell what is going on; cheap, may be dropped."""


class LocalEnvironment:
    """One process, checkpoints in a folder.

    Example:
        >>> LocalEnvironment(Path("run")).world_size
        1
    """

    rank = 0
    world_size = 1
    device = torch.device("cpu")

    def __init__(self, folder: Path, on_progress: ProgressCallback | None = None) -> None:
        self.folder = folder
        self.reports: list[dict[str, Any]] = []
        self._on_progress = on_progress

    @property
    def _last(self) -> Path:
        return self.folder / "last"

    @property
    def _old(self) -> Path:
        return self.folder / ".old"

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model itself."""
        return model

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array itself."""
        return array

    def share_buffers(self, model: nn.Module) -> None:
        """There is nobody to share with."""

    def report(self, metrics: dict[str, Any], write_checkpoint: Callable[[Path], None]) -> None:
        """Keep the metrics; replace the last checkpoint by a new one, whole or not at all."""
        self.reports.append(metrics)
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

    def progress(self, update: dict[str, Any]) -> None:
        """Call back."""
        if self._on_progress is not None:
            self._on_progress(update)
