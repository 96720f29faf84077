"""What Ray Tune runs for each trial: the same loop as `visrec train`, in the trial's process or on workers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ray.train.v2.api.exceptions import TrainingFailedError
from ray.tune.integration.ray_train import TuneReportCallback

from visrec.config import TrainJob, TuneJob, parse_config
from visrec.data.snapshot import Snapshot
from visrec.storage import Location, Workspace
from visrec.training.loop import train
from visrec.tune.costs import measure_costs
from visrec.tune.environment import EpochReports, TuneEnvironment, TuneWorkerEnvironment
from visrec.tune.points import job_at
from visrec.tune.space import Point
from visrec.workloads.train import failure, ray_trainer

Trainable = Callable[[dict[str, Any]], None]
WORKER_RUNS = "workers"
"""Folder of a study in which the runs of Ray Train are."""


@dataclass(frozen=True)
class Assignment:
    """What one trial is to do; the config that Ray Tune hands to it, under the key `trial`.

    Attributes:
        number: Of the trial.
        point: Settings to lay over the study's config.
        checkpoint: Where an earlier run of the study left off, below the study's folder.
    """

    number: int
    point: Point
    checkpoint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For Ray Tune, which changes configs as plain mappings."""
        return {"number": self.number, "point": self.point, "checkpoint": self.checkpoint}


def trial_job(job: TuneJob, point: Point) -> TrainJob:
    """The training config of a trial: what `visrec train` would be given to train the same model."""
    base = job_at(job, point)
    if job.tune.run_in == "workers":
        return base
    # The loop in one process is a world of one worker: a name made from more would promise another model.
    scaling = base.training.scaling.replace(num_workers=min(base.training.scaling.num_workers, 1))
    return base.replace(training=base.training.replace(scaling=scaling))


def trainable(job: TuneJob, snapshot: str, folder: Location) -> Trainable:
    """The function that Ray Tune calls with each trial's config.

    Args:
        job: The study's config.
        snapshot: Name of the snapshot, which all trials read memory-mapped.
        folder: Of the study.
    """
    settings = job.model_dump(mode="json")
    below_workspace = f"{folder.parent.name}/{folder.name}"

    def run_trial(config: dict[str, Any]) -> None:
        # The closure holds plain values only: it travels to another machine.
        study = parse_config(TuneJob, settings)
        assignment = Assignment(**config["trial"])
        here = Workspace(study.workspace).root / below_workspace
        run = _in_process if study.tune.run_in == "process" else _on_workers
        run(study, snapshot, here, assignment)

    return run_trial


def _in_process(study: TuneJob, snapshot_name: str, folder: Location, assignment: Assignment) -> None:
    training = (job := trial_job(study, assignment.point)).training
    threads = training.torch_threads or max(1, int(study.tune.cpus_per_trial))
    # A report within an epoch would have no metrics, and every report has a checkpoint already.
    job = job.replace(training=training.replace(torch_threads=threads, checkpoint_every_steps=0))
    snapshot = Snapshot(Workspace(job.workspace).find("snapshots", snapshot_name))
    environment = TuneEnvironment(
        _reports(study, job, snapshot),
        assignment.point,
        start_from=folder / assignment.checkpoint if assignment.checkpoint else None,
        use_gpu=study.tune.gpus_per_trial > 0,
    )
    train(job, snapshot, environment)


def _on_workers(study: TuneJob, snapshot_name: str, folder: Location, assignment: Assignment) -> None:
    job = trial_job(study, assignment.point)
    run_folder = folder / WORKER_RUNS / f"trial-{assignment.number:05d}"
    settings = {
        "study": study.model_dump(mode="json"),
        "job": job.model_dump(mode="json"),
        "snapshot": snapshot_name,
    }
    trainer = ray_trainer(_worker, settings, job, run_folder, callbacks=[TuneReportCallback()])
    try:
        trainer.fit()
    except TrainingFailedError as error:
        raise failure(error) from error


def _worker(config: dict[str, Any]) -> None:
    study, job = parse_config(TuneJob, config["study"]), parse_config(TrainJob, config["job"])
    job = job.replace(training=job.training.replace(checkpoint_every_steps=0))
    snapshot = Snapshot(Workspace(job.workspace).find("snapshots", config["snapshot"]))
    train(job, snapshot, TuneWorkerEnvironment(_reports(study, job, snapshot)))


def _reports(study: TuneJob, job: TrainJob, snapshot: Snapshot) -> EpochReports:
    costs = measure_costs(job, snapshot, study.tune.objectives)
    return EpochReports(study.tune.objectives, costs, job.training.selection_metric)


def planned_epochs(job: TrainJob) -> int:
    """Epochs of a full run, over all phases."""
    return sum(phase.num_epochs for phase in job.training.phases)
