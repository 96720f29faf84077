"""Ray Tune's schedulers, made from the config, and told what a study has seen before it was interrupted."""

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
from visrec.tune import objectives as scores
from visrec.tune.objectives import oriented, ranked
from visrec.tune.population import Population
from visrec.tune.recorder import ended
from visrec.tune.records import StudyLog, TrialRecord


class StudyPatience(Stopper):  # type: ignore[misc]
    """Ray Tune's stopper: enough trials have ended since the best one did.

    Args:
        log: Of the study.
        objectives: Of the study; the first one counts.
        num_trials: That may end without a better best.
    """

    def __init__(self, log: StudyLog, objectives: Sequence[ObjectiveConfig], num_trials: int) -> None:
        self._log = log
        self._objectives = objectives
        self._num_trials = num_trials

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No single trial is stopped."""
        return False

    def stop_all(self) -> bool:
        """Whether to end the study."""
        return trials_since_best(self._log.records, self._objectives) >= self._num_trials

    def __reduce__(self) -> tuple[Any, ...]:
        return _Never, ()


class _Never(Stopper):  # type: ignore[misc]
    """What is left of a stopper in the state that Ray saves and nobody reads."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return False


def trials_since_best(records: Sequence[TrialRecord], objectives: Sequence[ObjectiveConfig]) -> int:
    """Trials that ended after the best one did; 0 while a running trial is ahead of them all."""
    order = ended(records)
    best = ranked(objectives, records)
    if not best:
        return len(order)
    top = oriented(objectives, best[0].objectives or [])[0]
    leaders = [r for r in best if oriented(objectives, r.objectives or [])[0] == top]
    if any(not r.has_ended for r in leaders):
        return 0
    first = min(order.index(r) for r in leaders)
    return len(order) - 1 - first


PAUSING = ("hyperband", "pbt")
"""Kinds that pause trials: those hold no CPU, but would count against a limit of trials at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PastTrial:
    """Stands in for a trial of an earlier run of the study; schedulers tell trials apart by it."""

    trial_id: str
    status: str = Trial.TERMINATED

    def is_finished(self) -> bool:
        """It will not report again."""
        return True


def build_scheduler(job: TuneWorkloadConfig, max_epochs: int, past: Sequence[TrialRecord]) -> TrialScheduler:
    """The scheduler of a study.

    Args:
        job: The study's config.
        max_epochs: Epochs of the longest full run.
        past: Trials of earlier runs of the study: what they reached at each rung stays the mark for new ones.
    """
    settings, first = job.tune.scheduler, job.tune.objectives[0]
    by = {"time_attr": "epoch", "metric": scores.key(0), "mode": first.direction}
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
        # Trials yield to others that wait where there are few to compare with; they need not.
        scheduler = MedianStoppingRule(
            **by, grace_period=settings.grace_epochs, min_samples_required=3, min_time_slice=float("inf")
        )
    else:
        # A rung at the very end would stop trials that have nothing left to save.
        last = max(max_epochs - 1, settings.grace_epochs)
        scheduler = ASHAScheduler(
            **by,
            max_t=last,
            grace_period=settings.grace_epochs,
            reduction_factor=settings.reduction_factor,
            stop_last_trials=False,
        )
    _recall(scheduler, past)
    return scheduler


def rungs(job: TuneWorkloadConfig, max_epochs: int) -> list[float]:
    """Epochs at which ASHA compares, ascending.

    Example:
        >>> rungs(TuneWorkloadConfig(), 16)
        [1.0, 3.0, 9.0]
    """
    settings = job.tune.scheduler
    last = max(max_epochs - 1, settings.grace_epochs)
    count = int(np.log(last / settings.grace_epochs) / np.log(settings.reduction_factor) + 1)
    return [settings.grace_epochs * settings.reduction_factor**k for k in range(count)]


def _recall(scheduler: TrialScheduler, past: Sequence[TrialRecord]) -> None:
    """Replay recorded results in the order of their epochs."""
    trials = {record.number: PastTrial(trial_id=f"past-{record.number}") for record in past}
    for record in past:
        scheduler.on_trial_add(None, trials[record.number])
    results = [(result.epoch, record, result) for record in past for result in record.results]
    for epoch, record, result in sorted(results, key=lambda r: (r[0], r[1].number)):
        told = {"epoch": epoch, scores.key(0): result.objectives[0]}
        scheduler.on_trial_result(None, trials[record.number], told)
