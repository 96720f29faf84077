"""Activations of frozen backbone blocks, computed before training by a pool of Ray Data actors."""

import time
from typing import Any

import ray
from rich.console import Console

from visrec.cluster.datasets import quiet_ray_data
from visrec.config import TrainWorkloadConfig, parse_config
from visrec.data.snapshot import Snapshot
from visrec.models import TwoTower
from visrec.storage import ArtifactStore, Location
from visrec.training.initial import initial_model
from visrec.training.phase import frozen_prefix


def precompute(job: TrainWorkloadConfig, model: TwoTower, snapshot: Snapshot, console: Console) -> None:
    """Compute the activation cache of the first phase, if the phase reads one and it does not exist.

    The frozen blocks of a later phase have their weights only when it starts; then the training workers share the work.

    Args:
        job: The training's config.
        model: The towers before the first step.
        snapshot: The pictures.
        console: Where the time is printed.
    """
    prefix = frozen_prefix(job, 0, model, snapshot)
    workspace = ArtifactStore(job.workspace)
    if prefix is None or workspace.has("activations", prefix.name):
        return
    started = time.perf_counter()
    parents = {"snapshots": snapshot.name}
    with (
        workspace.create("activations", prefix.name, config=job, parents=parents) as writer,
        quiet_ray_data(),
    ):
        _on_pool(job, snapshot, writer.staging, prefix.num_parts)
        writer.counts["num_pictures"] = len(snapshot.images)
        writer.facts["num_blocks"] = prefix.num_blocks
    console.print(
        f"activations of {prefix.num_blocks} frozen blocks kept: {len(snapshot.images):,} pictures, "
        f"{prefix.num_bytes / 1e6:,.0f} MB, {time.perf_counter() - started:.1f} s"
    )


def _on_pool(job: TrainWorkloadConfig, snapshot: Snapshot, folder: Location, num_parts: int) -> None:
    gpus = 1 if job.training.scaling.use_gpu else 0
    resources = ray.cluster_resources()
    room = resources.get("GPU" if gpus else "CPU", 1)
    parts = ray.data.from_items([{"part": part} for part in range(num_parts)], override_num_blocks=num_parts)
    done = parts.map_batches(
        _PartEncoder,
        fn_constructor_kwargs={
            "job": job.model_dump(mode="json"),
            "snapshot": snapshot.name,
            "folder": folder,
        },
        batch_size=1,
        num_cpus=0 if gpus else 1,
        num_gpus=gpus,
        compute=ray.data.ActorPoolStrategy(size=max(1, min(num_parts, int(room) - 1))),
    )
    for _ in done.iter_batches():
        pass


class _PartEncoder:
    """An actor of the pool: builds the same initial model as the training workers, from the same seed and files."""

    def __init__(self, job: dict[str, Any], snapshot: str, folder: Location) -> None:
        settings = parse_config(TrainWorkloadConfig, job)
        found = Snapshot(ArtifactStore(settings.workspace).find("snapshots", snapshot))
        model, _ = initial_model(settings, found)
        if settings.training.scaling.use_gpu:
            model.cuda()
        prefix = frozen_prefix(settings, 0, model, found)
        assert prefix is not None
        self._prefix, self._folder = prefix, folder

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        for part in batch["part"].tolist():
            self._prefix.compute_part(self._folder, part)
        return batch
