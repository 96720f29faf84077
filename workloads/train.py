"""`visrec train`: train the two towers on a snapshot, in one process or on the workers of Ray Train."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from visrec.config import TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.models.checkpoint import Checkpoint
from visrec.models.epochs import EpochRecord, read_epochs
from visrec.reports.training import draw_curves
from visrec.storage import Location, Workspace, content_id
from visrec.training.environment import LocalEnvironment
from visrec.training.initial import initial_model, starting_point
from visrec.training.loop import train
from visrec.training.messages import ProgressUpdate
from visrec.training.phase import check_phases
from visrec.workloads.progress import ProgressBoard, TrainingProgress

VERSION = 3
"""Increased when the same config would give another model, so that old checkpoints are not taken for new ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """The result of a training.

    Attributes:
        checkpoint: The checkpoint.
        epochs: One record for each epoch.
        seconds: Wall time of this call.
        found: Whether the checkpoint existed, so that nothing was done.
    """

    checkpoint: Checkpoint
    epochs: list[EpochRecord]
    seconds: float
    found: bool


def run(job: TrainWorkloadConfig, *, console: Console) -> TrainResult:
    """Train, or find the checkpoint of an earlier run of the same config and snapshot.

    A run that was killed continues from its last checkpoint when it is started again.
    """
    started = time.perf_counter()
    workspace = Workspace(job.workspace)
    snapshot = Snapshot(workspace.find("snapshots", job.snapshot))
    name = checkpoint_name(job, snapshot)
    found = workspace.has("checkpoints", name)
    if not found:
        console.print(
            f"training on snapshot {snapshot.name}: {snapshot.num_users:,} users, {snapshot.num_items:,} items"
        )
        _train(job, snapshot, workspace, name, console)
    workspace.point("checkpoints", name)
    artifact = Checkpoint.find(workspace, name)
    epochs = artifact.epochs
    seconds = time.perf_counter() - started
    console.print(_summary(artifact, epochs, job.training.selection_metric, seconds, found), soft_wrap=True)
    return TrainResult(checkpoint=artifact, epochs=epochs, seconds=seconds, found=found)


def checkpoint_name(job: TrainWorkloadConfig, snapshot: Snapshot) -> str:
    """Name of a job's checkpoint: a hash of everything that decides the result."""
    return content_id(
        VERSION,
        snapshot.name,
        job.seed,
        job.model,
        job.training.split,
        list(job.training.model_dump(mode="json")["phases"]),
        starting_point(job),
        job.training.scaling.num_workers,
        job.training.selection_metric,
        job.training.validation_users,
    )


def write_checkpoint(
    workspace: Workspace, name: str, folder: Path, job: TrainWorkloadConfig, snapshot: Snapshot
) -> Checkpoint:
    """Make a checkpoint artifact of the folder that a finished run of the loop has written."""
    with workspace.create("checkpoints", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        for file in sorted(folder.iterdir()):
            (writer.staging / file.name).write_bytes(file.read_bytes())
        epochs = read_epochs(Location.parse(folder))
        (writer.staging / "curves.png").write_bytes(draw_curves(epochs))
        writer.counts.update(num_epochs=len(epochs), num_items=snapshot.num_items)
        writer.facts["epochs"] = [record.to_json() for record in epochs]
    assert writer.result is not None
    return Checkpoint(writer.result)


def _train(
    job: TrainWorkloadConfig, snapshot: Snapshot, workspace: Workspace, name: str, console: Console
) -> None:
    # A mistake in the settings is raised here, before workers start.
    model, _ = initial_model(job, snapshot)
    check_phases(job, model, snapshot)
    run_folder = workspace.root / "runs" / name
    if job.training.scaling.num_workers == 0:
        trained = _in_process(job, snapshot, run_folder, console)
    else:
        # Imported here: training in one process needs no Ray.
        from visrec.workloads.ray_training import on_workers

        trained = on_workers(job, model, snapshot, run_folder, console)
    with trained as folder:
        write_checkpoint(workspace, name, folder, job, snapshot)
    run_folder.delete()  # it was needed to resume


@contextmanager
def _in_process(
    job: TrainWorkloadConfig, snapshot: Snapshot, run_folder: Location, console: Console
) -> Iterator[Path]:
    """Train in this process; a context with the folder that the finished run of the loop has written."""
    if not run_folder.is_local:
        raise ConfigError(f"training.scaling.num_workers: 0 needs a local workspace, got {job.workspace}")
    board = ProgressBoard()
    with TrainingProgress(console) as progress:

        def tell(update: ProgressUpdate) -> None:
            board.tell(update)
            progress.show(*board.read())

        environment = LocalEnvironment(Path(run_folder.path), tell)
        train(job, snapshot, environment)
    with environment.resume() as folder:
        assert folder is not None
        yield folder


def _summary(
    checkpoint: Checkpoint, epochs: list[EpochRecord], metric: str, seconds: float, found: bool
) -> str:
    # A checkpoint holds the best weights of its last phase, also where an earlier phase was better.
    validated = [e for e in epochs if metric in e.metrics and e.phase == epochs[-1].phase]
    quality = ""
    if validated:
        best = max(validated, key=lambda e: e.metrics[metric])
        quality = f", best validation {metric} {best.metrics[metric]:.4f} (epoch {best.epoch} of phase {best.phase})"
    did = "found, nothing to do" if found else f"trained {len(epochs)} epochs in {seconds:.1f} s"
    return f"checkpoint {checkpoint.name}: {did}{quality}"
