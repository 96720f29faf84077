"""Schedulers of Ray Tune, built from a study's config, with the results of earlier starts of the study replayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ray.tune import Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import (
    ASHAScheduler,
    FIFOScheduler,
    HyperBandScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

from visrec.config import ObjectiveConfig, TuneWorkloadConfig
from visrec.tune.objectives import oriented, ranked
from visrec.tune.population import Population
from visrec.tune.records import StudyLog, TrialRecord, by_end, objective_key

PAUSING = ("hyperband", "pbt")
"""Kinds that pause trials. A paused trial holds no CPU, but counts against a limit of concurrent trials."""


def build_scheduler(
    job: TuneWorkloadConfig, max_epochs: int, earlier: Sequence[TrialRecord]
) -> TrialScheduler:
    """The scheduler of a study.

    Args:
        job: The study's config.
        max_epochs: Epochs of the longest full run.
        earlier: Trials of earlier starts of the study: new ones are compared with what they reached at each rung.
    """
    settings, first = job.tune.scheduler, job.tune.objectives[0]
    by = {"time_attr": "epoch", "metric": objective_key(0), "mode": first.direction}
    if settings.kind == "none":
        return FIFOScheduler()
    if settings.kind == "pbt":
        return Population(job, max_epochs)
    if settings.kind == "hyperband":
        return HyperBandScheduler(
            **by, max_t=max_epochs, reduction_factor=settings.reduction_factor, stop_last_trials=False
        )
    scheduler: TrialScheduler
    if settings.kind == "median":
        # By default a trial pauses for waiting ones while there are few to compare with, which costs a restart.
        scheduler = MedianStoppingRule(
            **by, grace_period=settings.grace_epochs, min_samples_required=3, min_time_slice=float("inf")
        )
    else:
        # A rung at the last epoch would stop trials that have nothing left to train.
        last = max(max_epochs - 1, settings.grace_epochs)
        scheduler = ASHAScheduler(
            **by,
            max_t=last,
            grace_period=settings.grace_epochs,
            reduction_factor=settings.reduction_factor,
            stop_last_trials=False,
        )
    _replay(scheduler, earlier)
    return scheduler


def rungs(job: TuneWorkloadConfig, max_epochs: int) -> list[float]:
    """Epochs at which ASHA compares trials, ascending.

    Example:
        >>> rungs(TuneWorkloadConfig(), 16)
        [1.0, 3.0, 9.0]
    """
    settings = job.tune.scheduler
    last = max(max_epochs - 1, settings.grace_epochs)
    count = int(np.log(last / settings.grace_epochs) / np.log(settings.reduction_factor) + 1)
    return [settings.grace_epochs * settings.reduction_factor**k for k in range(count)]


def _replay(scheduler: TrialScheduler, earlier: Sequence[TrialRecord]) -> None:
    """Replay recorded results in the order of their epochs."""
    trials = {record.number: EarlierTrial(trial_id=f"earlier-{record.number}") for record in earlier}
    for record in earlier:
        scheduler.on_trial_add(None, trials[record.number])
    results = [(result.epoch, record, result) for record in earlier for result in record.results]
    for epoch, record, result in sorted(results, key=lambda r: (r[0], r[1].number)):
        seen = {"epoch": epoch, objective_key(0): result.objectives[0]}
        scheduler.on_trial_result(None, trials[record.number], seen)


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierTrial:
    """A trial of an earlier start of the study, as far as schedulers read it."""

    trial_id: str
    status: str = Trial.TERMINATED

    def is_finished(self) -> bool:
        """True: it will not report again."""
        return True


class StudyPatience(Stopper):  # type: ignore[misc]
    """Ray Tune's stopper that ends a study when it has stopped improving.

    Args:
        log: The study's log.
        objectives: The study's objectives; the first one counts.
        num_trials: Trials that may end after the best one did.
    """

    def __init__(self, log: StudyLog, objectives: Sequence[ObjectiveConfig], num_trials: int) -> None:
        self._log = log
        self._objectives = objectives
        self._num_trials = num_trials

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """False: no single trial is stopped."""
        return False

    def stop_all(self) -> bool:
        """Whether to end the study."""
        return trials_since_best(self._log.records, self._objectives) >= self._num_trials

    def __reduce__(self) -> tuple[Any, ...]:
        return _Never, ()


class _Never(Stopper):  # type: ignore[misc]
    """Stands in for the stopper in the state that Ray pickles, which is not used."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return False


def trials_since_best(records: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]) -> int:
    """Number of trials that ended after the best one did; 0 while a running trial is the best."""
    order = by_end(records)
    best = ranked(objectives, records)
    if not best:
        return len(order)
    top = oriented(objectives, best[0].objectives or [])[0]
    leaders = [r for r in best if oriented(objectives, r.objectives or [])[0] == top]
    if any(not r.has_ended for r in leaders):
        return 0
    first = min(order.index(r) for r in leaders)
    return len(order) - 1 - first
