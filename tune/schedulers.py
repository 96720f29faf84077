"""Ray Tune's schedulers, made from the config, and told what a study has seen before it was interrupted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ray.tune.experiment import Trial
from ray.tune.schedulers import (
    ASHAScheduler,
    FIFOScheduler,
    HyperBandScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

from visrec.config import TuneJob
from visrec.tune import objectives as scores
from visrec.tune.population import Population
from visrec.tune.records import TrialRecord

PAUSING = ("hyperband", "pbt")
"""Kinds that pause trials: those hold no CPU, but would count against a limit of trials at once."""


@dataclass(frozen=True)
class PastTrial:
    """Stands in for a trial of an earlier run of the study; schedulers tell trials apart by it."""

    trial_id: str
    status: str = Trial.TERMINATED

    def is_finished(self) -> bool:
        """It will not report again."""
        return True


def build_scheduler(job: TuneJob, max_epochs: int, past: Sequence[TrialRecord]) -> TrialScheduler:
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


def rungs(job: TuneJob, max_epochs: int) -> list[float]:
    """Epochs at which ASHA compares, ascending.

    Example:
        >>> rungs(TuneJob(), 16)
        [1.0, 3.0, 9.0]
    """
    settings = job.tune.scheduler
    last = max(max_epochs - 1, settings.grace_epochs)
    count = int(np.log(last / settings.grace_epochs) / np.log(settings.reduction_factor) + 1)
    return [settings.grace_epochs * settings.reduction_factor**k for k in range(count)]


def _recall(scheduler: TrialScheduler, past: Sequence[TrialRecord]) -> None:
    """Replay recorded results in the order of their epochs."""
    trials = {record.number: PastTrial(f"past-{record.number}") for record in past}
    for record in past:
        scheduler.on_trial_add(None, trials[record.number])
    results = [(result.epoch, record, result) for record in past for result in record.results]
    for epoch, record, result in sorted(results, key=lambda r: (r[0], r[1].number)):
        told = {"epoch": epoch, scores.key(0): result.objectives[0]}
        scheduler.on_trial_result(None, trials[record.number], told)
