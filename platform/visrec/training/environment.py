"""What the training loop needs from outside: its place among the workers, sums over them, reports, progress.

The loop is one plain function. Given a `LocalEnvironment` it runs in this process; given a `RayEnvironment` it is the
worker of a `TorchTrainer`.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from ray import train
from ray.train import torch as ray_torch
from torch import distributed, nn

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


class RayEnvironment:
    """A worker of Ray Train. Make it within the worker's function."""

    def __init__(self, on_progress: ProgressCallback | None = None) -> None:
        context = train.get_context()
        self.rank: int = context.get_world_rank()
        self.world_size: int = context.get_world_size()
        self.device: torch.device = ray_torch.get_device()
        self._on_progress = on_progress

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model under DistributedDataParallel where there is more than one worker."""
        wrapped: nn.Module = ray_torch.prepare_model(model)
        return wrapped

    def sum(self, array: NDArray[Any]) -> NDArray[Any]:
        """All-reduce over gloo or nccl."""
        if self.world_size == 1:
            return array
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
        distributed.all_reduce(tensor)
        return np.asarray(tensor.cpu().numpy())

    def share_buffers(self, model: nn.Module) -> None:
        """Broadcast over gloo or nccl."""
        if self.world_size > 1:
            for buffer in model.buffers():
                distributed.broadcast(buffer, src=0)

    def report(self, metrics: dict[str, Any], write_checkpoint: Callable[[Path], None]) -> None:
        """`ray.train.report`, with the checkpoint of rank 0."""
        if self.rank != 0:
            train.report(metrics)
            return
        with tempfile.TemporaryDirectory() as folder:
            write_checkpoint(Path(folder))
            train.report(metrics, checkpoint=train.Checkpoint.from_directory(folder))

    @contextmanager
    def resume(self) -> Iterator[Path | None]:
        """The checkpoint that Ray Train restores after a lost worker or a new start of the same run."""
        checkpoint = train.get_checkpoint()
        if checkpoint is None:
            yield None
            return
        with checkpoint.as_directory() as folder:
            yield Path(folder)

    def progress(self, update: dict[str, Any]) -> None:
        """Rank 0 calls back."""
        if self._on_progress is not None and self.rank == 0:
            self._on_progress(update)
