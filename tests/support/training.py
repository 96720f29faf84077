"""The training loop in this process, on a snapshot of a test."""

from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from visrec.config import TrainWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.training.environment import LocalEnvironment
from visrec.training.run import train


def run_training(job: TrainWorkloadConfig, snapshot: Snapshot, folder: Path) -> LocalEnvironment:
    """Train in the snapshot's workspace; the environment has the `reports` and the `epochs`."""
    environment = LocalEnvironment(folder)
    train(within(job, snapshot), snapshot, environment)
    return environment


def within(job: TrainWorkloadConfig, snapshot: Snapshot) -> TrainWorkloadConfig:
    """The job in the workspace of the snapshot."""
    return job.replace(workspace=snapshot.artifact.location.parent.parent.path)


def saved_weights(folder: Path, file: str = "model.safetensors") -> dict[str, Any]:
    """Weights of the last checkpoint under a folder that was trained in."""
    return dict(load_file(folder / "last" / file))
