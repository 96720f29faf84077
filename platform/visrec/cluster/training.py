"""Distributed training: the training loop as a worker of Ray Train."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray import train as ray_train
from ray.train import torch as ray_torch
from torch import distributed, nn

from visrec.cluster.errors import training_error
from visrec.cluster.handlers import callers_handlers
from visrec.config import TrainWorkloadConfig, parse_config
from visrec.data.snapshot import Snapshot
from visrec.storage import ArtifactStore, Location
from visrec.training.environment import CheckpointWriter, ProgressCallback
from visrec.training.messages import ProgressUpdate, Report
from visrec.training.run import train


class RayEnvironment:
    """The training loop's environment in a worker of Ray Train. Construct it within the worker's function.

    Args:
        on_progress: Called by rank 0 with each progress update.
    """

    def __init__(self, on_progress: ProgressCallback | None = None) -> None:
        context = ray_train.get_context()
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

    def report(self, report: Report, write_checkpoint: CheckpointWriter) -> None:
        """`ray.train.report`, with the checkpoint of rank 0."""
        self.report_metrics(report.to_json(), write_checkpoint)

    def report_metrics(self, metrics: dict[str, Any], write_checkpoint: CheckpointWriter) -> None:
        """The same for metrics that are JSON already."""
        if self.rank != 0:
            ray_train.report(metrics)
            return
        with tempfile.TemporaryDirectory() as folder:
            write_checkpoint(Path(folder))
            ray_train.report(metrics, checkpoint=ray_train.Checkpoint.from_directory(folder))

    @contextmanager
    def resume(self) -> Iterator[Path | None]:
        """The checkpoint that Ray Train restores after a lost worker or a new start of the same run."""
        checkpoint = ray_train.get_checkpoint()
        if checkpoint is None:
            yield None
            return
        with checkpoint.as_directory() as folder:
            yield Path(folder)

    def progress(self, update: ProgressUpdate) -> None:
        """Rank 0 calls back."""
        if self._on_progress is not None and self.rank == 0:
            self._on_progress(update)


@contextmanager
def train_on_workers(
    job: TrainWorkloadConfig, snapshot: Snapshot, run_folder: Location, progress_board: Any
) -> Iterator[Path]:
    """Train on the workers of Ray Train; a context with the local folder of the finished run's checkpoint.

    Needs a connection to Ray (`ray_session`).

    Args:
        job: The training's config; `training.scaling` says how many workers there are.
        snapshot: The data. Workers open it by name in the workspace.
        run_folder: Where Ray Train keeps its state. A run of the same folder goes on where it stood.
        progress_board: Actor handle with a method `tell(update)`, called by rank 0.

    Raises:
        VisrecError: The user's mistake that a worker met.
        ClusterError: Training failed for another reason.
    """
    settings = {"job": job.model_dump(mode="json"), "snapshot": snapshot.name, "board": progress_board}
    result = fit(ray_trainer(_worker, settings, job, run_folder))
    assert result.checkpoint is not None, "every run ends with a report that has a checkpoint"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "checkpoint"
        yield Path(result.checkpoint.to_directory(str(folder)))
        shutil.rmtree(folder)


def _worker(settings: dict[str, Any]) -> None:
    """The function that every worker runs."""
    job = parse_config(TrainWorkloadConfig, settings["job"])
    snapshot = Snapshot(ArtifactStore(job.workspace).find("snapshots", settings["snapshot"]))
    board = settings["board"]
    train(job, snapshot, RayEnvironment(lambda update: board.tell.remote(update)))


def ray_trainer(
    worker: Callable[[dict[str, Any]], None],
    settings: dict[str, Any],
    job: TrainWorkloadConfig,
    run_folder: Location,
    callbacks: Sequence[ray_train.UserCallback] = (),
) -> ray_torch.TorchTrainer:
    """A `TorchTrainer` with the job's scaling; a run of the same folder goes on where it stood.

    Args:
        worker: Function that every worker runs.
        settings: Its argument.
        job: The training's config.
        run_folder: Where Ray Train keeps checkpoints and its own state.
        callbacks: Of the run, such as Ray Tune's report callback.
    """
    scaling = job.training.scaling
    return ray_torch.TorchTrainer(
        worker,
        train_loop_config=settings,
        scaling_config=ray_train.ScalingConfig(
            num_workers=scaling.num_workers,
            use_gpu=scaling.use_gpu,
            resources_per_worker=scaling.resources_per_worker,
        ),
        run_config=ray_train.RunConfig(
            name=run_folder.name,
            storage_path=run_folder.parent.path,
            storage_filesystem=run_folder.filesystem,
            failure_config=ray_train.FailureConfig(max_failures=scaling.max_failures),
            checkpoint_config=ray_train.CheckpointConfig(num_to_keep=2),
            callbacks=list(callbacks),
        ),
    )


def fit(trainer: ray_torch.TorchTrainer) -> ray_train.Result:
    """`trainer.fit()` with the errors of the workers unwrapped.

    Raises:
        VisrecError: The user's mistake that a worker met.
        ClusterError: Training failed for another reason.
    """
    try:
        with callers_handlers():
            return trainer.fit()
    except ray_train.TrainingFailedError as error:
        raise training_error(error) from error
