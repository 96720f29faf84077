"""Running a study: Ray Tune runs the trials that are left, and every result is written to the study's log."""

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from ray import tune
from ray.exceptions import OutOfMemoryError
from ray.tune import CheckpointConfig, FailureConfig, RunConfig, TuneConfig, Tuner
from ray.tune.experiment import Trial

from visrec.cluster import internals
from visrec.cluster.handlers import callers_handlers
from visrec.config import TuneWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.tune.points import apply_point, extreme_points
from visrec.tune.recorder import Recorder
from visrec.tune.records import StudyLog
from visrec.tune.schedulers import StudyPatience, build_scheduler
from visrec.tune.search import StudySearch, count_trials, planned_points
from visrec.tune.space import Point
from visrec.tune.trial import Assignment, TrialResources, planned_epochs, trainable, trial_resources

Ending = Literal["done", "time", "patience", "interrupted"]
_REASONS = {"time": "the study's time was over", "patience": "the study stopped getting better"}
TUNE_RUNS = "tune"
"""Folder of a study in which Ray Tune keeps checkpoints, with one folder for each start of the study."""


def run_trials(
    job: TuneWorkloadConfig,
    snapshot: Snapshot,
    log: StudyLog,
    *,
    on_change: Callable[[], None] = lambda: None,
) -> Ending:
    """Run the trials that are left of a study; returns how it ended.

    Needs a connection to Ray. Trials of the log that have ended are kept; the others continue from their checkpoints.

    Args:
        job: The study's config, checked by `check_space`.
        snapshot: The data that all trials train on.
        log: The study's log; empty for a new one.
        on_change: Called after each event.
    """
    points = planned_points(job)
    num_trials = count_trials(job)
    patience = StudyPatience(log, job.tune.objectives, job.tune.patience_trials)
    strikes: Counter[int] = Counter()
    is_over = False
    while (ending := _ending(job, log, num_trials, patience)) == "interrupted" and not is_over:
        recorder = Recorder(log, lambda point: _planned_epochs(job, point), on_change)
        try:
            is_over = _fit(_tuner(job, snapshot, log, points, num_trials, recorder, patience))
        finally:
            recorder.close()
        if not is_over:
            recorder.out_of_memory(strikes)
    if ending in _REASONS:
        log.stop_unfinished(_REASONS[ending])
    on_change()
    return ending


def _fit(tuner: Tuner) -> bool:
    """Run trials; False where Ray ended the whole study because it killed a trial for want of memory."""
    try:
        with internals.quiet_tune(), callers_handlers():
            tuner.fit()
    except RuntimeError as error:
        if isinstance(error.__cause__, OutOfMemoryError):
            return False
        raise
    return True


def _tuner(
    job: TuneWorkloadConfig,
    snapshot: Snapshot,
    log: StudyLog,
    points: list[Point],
    num_trials: int,
    recorder: Recorder,
    patience: StudyPatience,
) -> Tuner:
    """Ray Tune's tuner of the trials that are left."""
    resources = trial_resources(job)
    num_left = num_trials - sum(record.has_ended for record in log.records)
    run = trainable(job, snapshot.name, log.folder)
    return Tuner(
        tune.with_resources(run, resources.per_trial),
        param_space=_assignments(log, points),
        tune_config=_tune_config(job, log, points, num_left, resources),
        run_config=RunConfig(
            name=secrets.token_hex(4),
            storage_path=f"{log.folder.path}/{TUNE_RUNS}",
            storage_filesystem=log.folder.filesystem,
            stop=patience if job.tune.patience_trials else None,
            callbacks=[recorder],
            failure_config=FailureConfig(max_failures=job.tune.max_failures),
            # A population copies checkpoints of other trials, some of them a few epochs old.
            checkpoint_config=CheckpointConfig(num_to_keep=4 if job.tune.scheduler.kind == "pbt" else 2),
            verbose=0,
        ),
    )


def _tune_config(
    job: TuneWorkloadConfig,
    log: StudyLog,
    points: list[Point],
    num_left: int,
    resources: TrialResources,
) -> TuneConfig:
    minutes = job.tune.minutes
    max_epochs = max((_planned_epochs(job, point) for point in points), default=_longest(job))
    return TuneConfig(
        search_alg=None if points else StudySearch(job, log.records),
        scheduler=build_scheduler(job, max(max_epochs, 1), log.records),
        num_samples=1 if points else num_left,
        max_concurrent_trials=resources.max_concurrent,
        time_budget_s=max(60 * minutes - log.seconds_spent(), 1.0) if minutes is not None else None,
        reuse_actors=job.tune.run_in == "process",
        trial_dirname_creator=_trial_folder,
    )


def _assignments(log: StudyLog, points: list[Point]) -> dict[str, Any]:
    """The planned trials that have not ended, as a grid search of Ray Tune; empty where a searcher makes them."""
    if not points:
        return {}
    left = []
    for number, point in enumerate(points):
        record = log.trials.get(number)
        if record is None:
            left.append(Assignment(number=number, point=point))
        elif not record.has_ended:
            left.append(Assignment(number=number, point=record.last_point, checkpoint=record.checkpoint))
    return {"trial": tune.grid_search([assignment.as_dict() for assignment in left])}


def _trial_folder(trial: Trial) -> str:
    return f"trial-{trial.config['trial']['number']:05d}"


def _planned_epochs(job: TuneWorkloadConfig, point: Point) -> int:
    try:
        return planned_epochs(apply_point(job, point))
    except ConfigError:  # an invalid combination of settings: the trial will fail with that reason
        return planned_epochs(job)


def _longest(job: TuneWorkloadConfig) -> int:
    """Epochs of the longest run that a searcher could suggest by one key."""
    return max(_planned_epochs(job, point) for _, point in extreme_points(job.tune.space))


def _ending(job: TuneWorkloadConfig, log: StudyLog, num_trials: int, patience: StudyPatience) -> Ending:
    if sum(record.has_ended for record in log.records) >= num_trials:
        return "done"
    if job.tune.patience_trials and patience.stop_all():
        return "patience"
    if job.tune.minutes is not None and log.seconds_spent() >= 60 * job.tune.minutes - 1:
        return "time"
    return "interrupted"
