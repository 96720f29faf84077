"""`visrec train`: train the two towers on a snapshot, in one process or on the workers of Ray Train."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from visrec.config import TrainingConfig, TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.models.checkpoint import Checkpoint
from visrec.models.epochs import EpochRecord, read_epochs
from visrec.reports.members import member_lines
from visrec.reports.training import draw_curves
from visrec.storage import ArtifactStore, Location, content_id
from visrec.training import run
from visrec.training.blend.recipe import VERSION as RECIPE_VERSION
from visrec.training.environment import LocalEnvironment
from visrec.training.initial import starting_point
from visrec.training.messages import ProgressUpdate
from visrec.training.phase import check_phases
from visrec.workloads.progress import ProgressBoard, TrainingProgress
from visrec.workloads.settings import PlainSettings, workload_config, workload_console

VERSION = 3
"""Increased when the same config would give another model, so that old checkpoints are not taken for new ones."""


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
        >>> visrec.train("shop.yaml", model={"dim": 32}).epochs[-1].metrics["ndcg@10"]   # doctest: +SKIP
        0.1146
    """
    started = time.perf_counter()
    job = workload_config(TrainWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    workspace = ArtifactStore(job.workspace)
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
    if checkpoint.blend is not None:
        for line in member_lines(checkpoint.blend):
            console.print(line, soft_wrap=True, markup=False)
    console.print(
        _summary(checkpoint, checkpoint.epochs, job.training.selection_metric, seconds, found), soft_wrap=True
    )
    return checkpoint


def checkpoint_name(job: TrainWorkloadConfig, snapshot: Snapshot) -> str:
    """Name of a job's checkpoint: a hash of everything that decides the result."""
    return content_id(
        VERSION,
        snapshot.name,
        job.seed,
        job.model,
        job.training.split,
        list(job.training.model_dump(mode="json")["phases"]),
        *_recipe_parts(job.training),
        starting_point(job),
        job.training.scaling.num_workers,
        job.training.selection_metric,
        job.training.validation_users,
    )


def _recipe_parts(training: TrainingConfig) -> list[Any]:
    """What decides the result of a blend; nothing for `recipe: phases`."""
    if training.recipe == "phases":
        return []
    values = training.model_dump(mode="json")
    return [RECIPE_VERSION, *(values[key] for key in ("recipe", "members", "refit", "budget_minutes"))]


def write_checkpoint(
    workspace: ArtifactStore, name: str, folder: Path, job: TrainWorkloadConfig, snapshot: Snapshot
) -> Checkpoint:
    """Make a checkpoint artifact of the folder that a finished run of the loop has written."""
    with workspace.create("checkpoints", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            target = writer.staging / file.relative_to(folder).as_posix()
            target.parent.make_dirs()
            target.write_bytes(file.read_bytes())
        epochs = read_epochs(Location.parse(folder))
        (writer.staging / "curves.png").write_bytes(draw_curves(epochs))
        writer.counts.update(num_epochs=len(epochs), num_items=snapshot.num_items)
        writer.facts["epochs"] = [record.to_json() for record in epochs]
    assert writer.result is not None
    return Checkpoint(writer.result)


def _train(
    job: TrainWorkloadConfig, snapshot: Snapshot, workspace: ArtifactStore, name: str, console: Console
) -> None:
    # A mistake in the settings is raised here, before workers start.
    models = run.initial_models(job, snapshot)
    for model_job, model in models:
        check_phases(model_job, model, snapshot)
    run_folder = workspace.root / "runs" / name
    if job.training.scaling.num_workers == 0:
        trained = _in_process(job, snapshot, run_folder, console)
    else:
        # Imported here: training in one process needs no Ray.
        from visrec.workloads.ray_training import on_workers

        trained = on_workers(job, models, snapshot, run_folder, console)
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
        run.train(job, snapshot, environment)
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
