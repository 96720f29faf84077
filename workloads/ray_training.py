"""The part of `visrec train` that needs Ray: training on the workers of Ray Train, with progress in the terminal."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from rich.console import Console

from visrec.cluster.session import is_this_machine_alone, ray_session
from visrec.cluster.training import train_on_workers
from visrec.config import TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower
from visrec.storage import Location
from visrec.workloads.activations import precompute
from visrec.workloads.progress import ProgressBoard, TrainingProgress

_POLL_SECONDS = 0.3


@contextmanager
def on_workers(
    job: TrainWorkloadConfig,
    models: Sequence[tuple[TrainWorkloadConfig, TwoTower]],
    snapshot: Snapshot,
    run_folder: Location,
    console: Console,
) -> Iterator[Path]:
    """Train on workers; a context with the folder that the finished run of the loop has written.

    Args:
        job: The training's config.
        models: Its jobs by phases with the towers before the first step, from which activations of frozen blocks are
            computed; see `initial_models`.
        snapshot: The data.
        run_folder: Where a run that was killed left off, and this one keeps its state.
        console: Shows the progress.
    """
    with ray_session(job.ray), shown_progress(console) as board:
        for model_job, model in models:
            precompute(model_job, model, snapshot, console)
        with train_on_workers(_with_threads(job), snapshot, run_folder, board) as folder:
            yield folder


def _with_threads(job: TrainWorkloadConfig) -> TrainWorkloadConfig:
    """The job with this machine's cores divided among the workers, where nothing was said and nobody else is there.

    Ray gives a worker one logical CPU, of which a local cluster has more than the machine has cores.
    """
    scaling, training = job.training.scaling, job.training
    if training.torch_threads or scaling.resources_per_worker is not None or not is_this_machine_alone():
        return job
    threads = max(1, (os.cpu_count() or 1) // scaling.num_workers)
    return job.replace(training=training.replace(torch_threads=threads))


@contextmanager
def shown_progress(console: Console) -> Iterator[Any]:
    """Show the progress of training workers; a context with an actor handle: `handle.tell.remote(update)`."""
    # No CPU: workers must never wait for it.
    board = ray.remote(num_cpus=0)(ProgressBoard).remote()
    stop = threading.Event()
    with TrainingProgress(console) as progress:

        def poll() -> None:
            while not stop.wait(_POLL_SECONDS):
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
