"""Negatives that remember, on two real workers: one is killed, and the run ends as if it had not been."""

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import ray
from ray.util.state import list_actors
from safetensors.numpy import load
from tests.support.snapshots import checkerboard_snapshot

from visrec.cluster.session import ray_session
from visrec.config import (
    ItemTowerConfig,
    LossConfig,
    ModelConfig,
    PhaseConfig,
    RayConfig,
    ScalingConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    UserTowerConfig,
)
from visrec.models.checkpoint import Checkpoint
from visrec.storage import ArtifactStore
from visrec.workloads.train import train

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

LOSS = LossConfig(num_hard_negatives=2, hard_pool=4, hard_skip=1, num_cross_batch_negatives=30)


def job(workspace: Path) -> TrainWorkloadConfig:
    return TrainWorkloadConfig(
        workspace=str(workspace),
        model=ModelConfig(
            dim=8, item=ItemTowerConfig(width=4), user=UserTowerConfig(hidden_dim=16, max_length=10)
        ),
        training=TrainingConfig(
            phases=(PhaseConfig(epochs=6, batch_size=2, loss=LOSS),),
            checkpoint_every_steps=5,
            scaling=ScalingConfig(num_workers=2, resources_per_worker={"CPU": 0.5}),
        ),
    )


def trained(workspace: Path) -> Checkpoint:
    checkerboard_snapshot(ArtifactStore(str(workspace)), num_users=64, num_items=20)
    return train(job(workspace))


def kill_within_an_epoch(workspace: Path, killed: list[int], stop: threading.Event, address: str) -> None:
    """Kill a worker once a checkpoint that holds the ranking's vectors is there."""
    while not killed and not stop.wait(0.1):
        states = list((workspace / "runs").glob("*/checkpoint_*/negatives.safetensors"))
        workers = list_actors(
            address=address, filters=[("class_name", "=", "RayTrainWorker"), ("state", "=", "ALIVE")]
        )
        if states and workers:
            os.kill(workers[-1].pid, signal.SIGKILL)
            killed.append(workers[-1].pid)


def test_a_killed_worker_changes_nothing(tmp_path: Path) -> None:
    killed: list[int] = []
    stop = threading.Event()
    with ray_session(RayConfig()):
        whole = trained(tmp_path / "whole")
        address = ray.get_runtime_context().gcs_address
        arguments = (tmp_path / "broken", killed, stop, address)
        killer = threading.Thread(target=kill_within_an_epoch, args=arguments)
        killer.start()
        try:
            broken = trained(tmp_path / "broken")
        finally:
            stop.set()
            killer.join()
    assert killed, "the run ended before a worker could be killed"
    first, second = (load((c.location / "last.safetensors").read_bytes()) for c in (whole, broken))
    for name, value in first.items():
        # DDP lays gradients out anew after a restart, and sums over another layout differ by rounding.
        np.testing.assert_allclose(value, second[name], atol=1e-5, err_msg=name)
