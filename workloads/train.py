"""`visrec train`: the two towers on a snapshot, in one process or on the workers of Ray Train."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig, UserCallback
from ray.train.torch import TorchTrainer
from ray.train.v2.api.exceptions import TrainingFailedError
from rich.console import Console

from visrec.cluster.session import ray_session
from visrec.config import TrainWorkloadConfig, parse_config
from visrec.data.snapshot import Snapshot
from visrec.errors import ClusterError, ConfigError, VisrecError
from visrec.models import TwoTower
from visrec.models.checkpoint import EPOCHS, Checkpoint
from visrec.reports.training import draw_curves
from visrec.storage import Location, Workspace, content_id
from visrec.training import loop
from visrec.training.environment import LocalEnvironment, RayEnvironment
from visrec.training.initial import initial_model, starting_point
from visrec.training.phase import check_phases
from visrec.workloads.activations import precompute
from visrec.workloads.progress import ProgressBoard, TrainingProgress, follow
from visrec.workloads.settings import PlainSettings, workload_config, workload_console

VERSION = 3
"""Raised when the same config would give another model, so that old checkpoints are not taken for new ones."""


def train(
    config: TrainWorkloadConfig | PlainSettings = None,
    *,
    console: Console | None = None,
    progress: bool = False,
    **settings: Any,
) -> Checkpoint:
    """Train the two towers on a snapshot, or find the checkpoint that the same config and snapshot gave before.

    A run that was killed continues from its last state when it is started again.

    Args:
        config: A finished config, a mapping, or the path of a YAML file; see `visrec.workloads.settings`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.
        **settings: Settings laid over the mapping, the file or the defaults.

    Raises:
        ArtifactError: The snapshot is missing.
        ConfigError: A setting is wrong, or does not fit the model or the snapshot.
        DivergedError: Training produced a NaN or infinite loss.
        ClusterError: Ray cannot be reached, or training failed on it.

    Example:
        >>> visrec.train("shop.yaml", model={"dim": 32}).epochs[-1]["ndcg@10"]           # doctest: +SKIP
        0.1146
    """
    started = time.perf_counter()
    job = workload_config(TrainWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    workspace = Workspace(job.workspace)
    snapshot = Snapshot.find(workspace, job.snapshot)
    name = checkpoint_name(job, snapshot)
    found = workspace.has("checkpoints", name)
    if not found:
        console.print(
            f"training on snapshot {snapshot.name}: {snapshot.num_users:,} users, {snapshot.num_items:,} items"
        )
        _train(job, snapshot, workspace, name, console)
    workspace.point("checkpoints", name)
    checkpoint = Checkpoint.find(workspace, name)
    seconds = time.perf_counter() - started
    console.print(
        _summary(checkpoint, checkpoint.epochs, job.training.selection_metric, seconds, found), soft_wrap=True
    )
    return checkpoint


def checkpoint_name(job: TrainWorkloadConfig, snapshot: Snapshot) -> str:
    """The name under which the checkpoint of a job is kept: made of all that decides the result."""
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
    """Make an artifact of the folder that a finished run of the loop has written."""
    with workspace.create("checkpoints", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        for file in sorted(folder.iterdir()):
            (writer.staging / file.name).write_bytes(file.read_bytes())
        epochs = json.loads((folder / EPOCHS).read_text())
        (writer.staging / "curves.png").write_bytes(draw_curves(epochs))
        writer.counts.update(num_epochs=len(epochs), num_items=snapshot.num_items)
        writer.facts["epochs"] = epochs
    assert writer.result is not None
    return Checkpoint(writer.result)


def _train(
    job: TrainWorkloadConfig, snapshot: Snapshot, workspace: Workspace, name: str, console: Console
) -> None:
    # A mistake in the model's settings shows here, before workers start and are restarted for it.
    model, _ = initial_model(job, snapshot)
    check_phases(job, model, snapshot)
    run_folder = workspace.root / "runs" / name
    in_process = job.training.scaling.num_workers == 0
    runner = _in_process(job, snapshot, run_folder, console)
    if not in_process:
        runner = _on_workers(job, model, snapshot, run_folder, console)
    with runner as folder:
        write_checkpoint(workspace, name, folder, job, snapshot)
    run_folder.delete()  # what a restart would have needed


@contextmanager
def _in_process(
    job: TrainWorkloadConfig, snapshot: Snapshot, run_folder: Any, console: Console
) -> Iterator[Path]:
    if not run_folder.is_local:
        raise ConfigError(f"training.scaling.num_workers: 0 needs a local workspace, got {job.workspace}")
    board = ProgressBoard()
    with TrainingProgress(console) as progress:

        def tell(update: dict[str, Any]) -> None:
            board.tell(update)
            progress.show(*board.read())

        environment = LocalEnvironment(Path(run_folder.path), tell)
        loop.train(job, snapshot, environment)
    with environment.resume() as folder:
        assert folder is not None
        yield folder


@contextmanager
def _on_workers(
    job: TrainWorkloadConfig, model: TwoTower, snapshot: Snapshot, run_folder: Any, console: Console
) -> Iterator[Path]:
    with ray_session(job.ray), follow(console) as board, tempfile.TemporaryDirectory() as scratch:
        precompute(job, model, snapshot, console)
        settings = {"job": job.model_dump(mode="json"), "snapshot": snapshot.name, "board": board}
        trainer = ray_trainer(worker, settings, job, run_folder)
        try:
            result = trainer.fit()
        except TrainingFailedError as error:
            raise failure(error) from error
        assert result.checkpoint is not None
        folder = Path(scratch) / "checkpoint"
        yield Path(result.checkpoint.to_directory(str(folder)))
        shutil.rmtree(folder)


def ray_trainer(
    run_worker: Callable[[dict[str, Any]], None],
    settings: dict[str, Any],
    job: TrainWorkloadConfig,
    run_folder: Location,
    callbacks: Sequence[UserCallback] = (),
) -> TorchTrainer:
    """Ray Train's trainer of a function that every worker runs; a run of the same folder goes on where it stood."""
    scaling = job.training.scaling
    return TorchTrainer(
        run_worker,
        train_loop_config=settings,
        scaling_config=ScalingConfig(
            num_workers=scaling.num_workers,
            use_gpu=scaling.use_gpu,
            resources_per_worker=scaling.resources_per_worker,
        ),
        run_config=RunConfig(
            name=run_folder.name,
            storage_path=run_folder.parent.path,
            storage_filesystem=run_folder.filesystem,
            failure_config=FailureConfig(max_failures=scaling.max_failures),
            checkpoint_config=CheckpointConfig(num_to_keep=2),
            callbacks=list(callbacks),
        ),
    )


def worker(config: dict[str, Any]) -> None:
    """The function that every worker of Ray Train runs."""
    job = parse_config(TrainWorkloadConfig, config["job"])
    snapshot = Snapshot(Workspace(job.workspace).find("snapshots", config["snapshot"]))
    board = config["board"]
    loop.train(job, snapshot, RayEnvironment(lambda update: board.tell.remote(update)))


def failure(error: TrainingFailedError) -> VisrecError:
    """The user's mistake that a worker met, else what Ray Train says of the failure."""
    causes = list(getattr(error, "worker_failures", {}).values()) or [error]
    chain = [getattr(cause, "cause", cause) for cause in causes]
    mistake = next((cause for cause in chain if isinstance(cause, VisrecError)), None)
    lines = str(chain[0]).strip().splitlines()
    return mistake or ClusterError(f"training failed: {lines[-1] if lines else type(chain[0]).__name__}")


def _summary(
    checkpoint: Checkpoint, epochs: list[dict[str, Any]], metric: str, seconds: float, found: bool
) -> str:
    # A checkpoint has the best weights of its last phase, whatever an earlier one reached.
    validated = [e for e in epochs if metric in e and e["phase"] == epochs[-1]["phase"]]
    quality = ""
    if validated:
        best = max(validated, key=lambda e: float(e[metric]))
        quality = (
            f", best validation {metric} {best[metric]:.4f} (epoch {best['epoch']} of phase {best['phase']})"
        )
    did = "found, nothing to do" if found else f"trained {len(epochs)} epochs in {seconds:.1f} s"
    return f"checkpoint {checkpoint.name}: {did}{quality}"
