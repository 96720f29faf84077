"""A trial: the training loop of `visrec train` as a function for Ray Tune, in one process or on Ray Train's workers."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray.tune.integration.ray_train import TuneReportCallback

from visrec.cluster.session import is_this_machine_alone
from visrec.cluster.training import fit, ray_trainer
from visrec.config import TrainWorkloadConfig, TuneWorkloadConfig, parse_config
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.storage import ArtifactStore, Location
from visrec.training.run import train
from visrec.tune.environment import EpochReports, TuneEnvironment, TuneWorkerEnvironment
from visrec.tune.objectives import measure_costs
from visrec.tune.points import apply_point
from visrec.tune.schedulers import PAUSING
from visrec.tune.space import Point

Trainable = Callable[[dict[str, Any]], None]
WORKER_RUNS = "workers"
"""Folder of a study for the runs of Ray Train."""
_DRIVER_CPUS = 0.01
"""CPUs of a trial whose work is done by workers: so few that it never takes one that they wait for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """One trial's task: what Ray Tune passes to it in its config, under the key `trial`.

    Attributes:
        number: The trial's number.
        point: Values to set in the study's config.
        checkpoint: Checkpoint of the trial from an earlier start of the study, as a path below the study's folder.
    """

    number: int
    point: Point
    checkpoint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As a plain mapping, in which a population of Ray Tune changes the point."""
        return {"number": self.number, "point": self.point, "checkpoint": self.checkpoint}


def trial_job(job: TuneWorkloadConfig, point: Point) -> TrainWorkloadConfig:
    """The training config of a trial: `visrec train` with it trains the same model."""
    base = apply_point(job, point)
    if job.tune.run_in == "workers":
        return base
    # One process is a world of one worker; the checkpoint's name is made from the number of workers, among others.
    scaling = base.training.scaling.replace(num_workers=min(base.training.scaling.num_workers, 1))
    return base.replace(training=base.training.replace(scaling=scaling))


def trainable(job: TuneWorkloadConfig, snapshot: str, folder: Location) -> Trainable:
    """The function that Ray Tune calls with each trial's config.

    Args:
        job: The study's config.
        snapshot: Name of the snapshot; all trials read it memory-mapped.
        folder: The study's folder.
    """
    settings = job.model_dump(mode="json")
    below_workspace = f"{folder.parent.name}/{folder.name}"

    def run_trial(config: dict[str, Any]) -> None:
        # The closure holds plain values only: it is pickled and may run on another machine.
        study = parse_config(TuneWorkloadConfig, settings)
        assignment = Assignment(**config["trial"])
        here = ArtifactStore(study.workspace).root / below_workspace
        run = _in_process if study.tune.run_in == "process" else _on_workers
        run(study, snapshot, here, assignment)

    return run_trial


def _in_process(
    study: TuneWorkloadConfig, snapshot_name: str, folder: Location, assignment: Assignment
) -> None:
    training = (job := trial_job(study, assignment.point)).training
    threads = training.torch_threads or max(1, int(study.tune.cpus_per_trial))
    # Ray Tune gets a checkpoint with each epoch; one within an epoch would be a report without metrics.
    job = job.replace(training=training.replace(torch_threads=threads, checkpoint_every_steps=0))
    snapshot = Snapshot(ArtifactStore(job.workspace).find("snapshots", snapshot_name))
    environment = TuneEnvironment(
        _reports(study, job, snapshot),
        assignment.point,
        start_from=folder / assignment.checkpoint if assignment.checkpoint else None,
        use_gpu=study.tune.gpus_per_trial > 0,
    )
    train(job, snapshot, environment)


def _on_workers(
    study: TuneWorkloadConfig, snapshot_name: str, folder: Location, assignment: Assignment
) -> None:
    job = trial_job(study, assignment.point)
    run_folder = folder / WORKER_RUNS / f"trial-{assignment.number:05d}"
    settings = {
        "study": study.model_dump(mode="json"),
        "job": job.model_dump(mode="json"),
        "snapshot": snapshot_name,
    }
    fit(ray_trainer(_worker, settings, job, run_folder, callbacks=[TuneReportCallback()]))


def _worker(config: dict[str, Any]) -> None:
    study, job = (
        parse_config(TuneWorkloadConfig, config["study"]),
        parse_config(TrainWorkloadConfig, config["job"]),
    )
    job = job.replace(training=job.training.replace(checkpoint_every_steps=0))
    snapshot = Snapshot(ArtifactStore(job.workspace).find("snapshots", config["snapshot"]))
    train(job, snapshot, TuneWorkerEnvironment(_reports(study, job, snapshot)))


def _reports(study: TuneWorkloadConfig, job: TrainWorkloadConfig, snapshot: Snapshot) -> EpochReports:
    costs = measure_costs(job, snapshot, study.tune.objectives)
    return EpochReports(study.tune.objectives, costs, job.training.selection_metric)


def planned_epochs(job: TrainWorkloadConfig) -> int:
    """Epochs of a full run, over all phases of all members."""
    if job.training.recipe == "phases":
        return sum(phase.num_epochs for phase in job.training.phases)
    # The finished blend is one more record.
    return 1 + sum(phase.num_epochs for member in job.training.members for phase in member.phases)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialResources:
    """Resources of a study.

    Attributes:
        per_trial: Resources that each trial reserves.
        max_concurrent: Limit of concurrent trials; None where the resources are the limit.
    """

    per_trial: dict[str, float]
    max_concurrent: int | None


def trial_resources(job: TuneWorkloadConfig) -> TrialResources:
    """Resources of a study on the cluster that this process is connected to.

    Raises:
        ConfigError: A trial needs more than the cluster has, and would wait forever.
    """
    total = ray.cluster_resources()
    cpus = total.get("CPU", 0.0)
    needed_cpus, needed_gpus = _needs(job)
    for name, needed, there in (("CPUs", needed_cpus, cpus), ("GPUs", needed_gpus, total.get("GPU", 0.0))):
        if needed > there:
            raise ConfigError(f"a trial needs {needed:g} {name}, the cluster has {there:g}")
    cores = min(cpus, _cores() or cpus)
    fitting = max(1, int(cores / needed_cpus)) if needed_cpus else 1
    if needed_gpus:
        fitting = min(fitting, max(1, int(total.get("GPU", 0.0) / needed_gpus)))
    concurrent = min(job.tune.max_concurrent_trials or fitting, job.tune.num_trials)
    if job.tune.run_in == "workers":
        return TrialResources(per_trial={"CPU": _DRIVER_CPUS}, max_concurrent=concurrent)
    per_trial = {"CPU": needed_cpus} | ({"GPU": needed_gpus} if needed_gpus else {})
    if job.tune.scheduler.kind not in PAUSING:
        return TrialResources(per_trial=per_trial, max_concurrent=concurrent)
    # Ray would count paused trials against a limit of trials, and come to a standstill: the CPUs are the limit here.
    largest_node = max(node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"])
    per_trial["CPU"] = min(largest_node, max(needed_cpus, cpus / concurrent))
    return TrialResources(per_trial=per_trial, max_concurrent=None)


def _cores() -> int | None:
    """The machine's cores, where the cluster is this machine alone: its logical CPUs may be more. None elsewhere."""
    return os.cpu_count() if is_this_machine_alone() else None


def _needs(job: TuneWorkloadConfig) -> tuple[float, float]:
    """CPUs and GPUs that a trial needs."""
    if job.tune.run_in == "process":
        return job.tune.cpus_per_trial, job.tune.gpus_per_trial
    scaling = job.training.scaling
    if scaling.num_workers == 0:
        raise ConfigError("tune.run_in: workers needs training.scaling.num_workers of at least 1, got 0")
    own = scaling.resources_per_worker or {}
    cpus = own.get("CPU", 1.0) if not scaling.use_gpu else own.get("CPU", 0.0)
    gpus = own.get("GPU", 1.0) if scaling.use_gpu else 0.0
    return scaling.num_workers * cpus + _DRIVER_CPUS, scaling.num_workers * gpus
