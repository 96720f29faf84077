"""Paired comparison of a study's best trial with the unchanged config, on the same validation users.

The best of many trials is partly lucky; the interval of the paired difference shows how much of its lead is real.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.config import VALIDATION_METRICS, TuneWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.evaluation.bootstrap import Interval, intervals
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.models.checkpoint import Checkpoint
from visrec.training.validation import ValidationSet, load_validation_set, metrics_by_block
from visrec.tune.records import TrialRecord
from visrec.tune.trial import trial_job

_BOOTSTRAP_SAMPLES = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Improvement:
    """Best trial minus the unchanged config.

    Attributes:
        metric: Name of the metric.
        trial: Number of the trial that trained the unchanged config.
        num_users: Validation users, the same for both.
        interval: Mean difference over the users, and its 95% bootstrap interval.
    """

    metric: str
    trial: int
    num_users: int
    interval: Interval

    @property
    def text(self) -> str:
        """In one line.

        Example:
            >>> interval = Interval(mean=0.0028, low=-0.0034, high=0.0089)
            >>> Improvement(metric="ndcg@10", trial=0, num_users=2000, interval=interval).text
            '+0.0028 [-0.0034, +0.0089] ndcg@10 over the unchanged config (trial 0), on the same 2,000 users'
        """
        return (
            f"{self.interval:+.4f} {self.metric} over the unchanged config (trial {self.trial}), on "
            f"the same {self.num_users:,} users"
        )


def default_trial(
    job: TuneWorkloadConfig, records: Sequence[TrialRecord], best: TrialRecord
) -> TrialRecord | None:
    """The trial of the unchanged config, where it can be compared with the best one.

    None where it is the best itself or was not trained to its end; where trials change their settings while they train
    (population-based training); where the first objective is a cost; or where the best trial has another split, so that
    its validation events are others.
    """
    if job.tune.objectives[0].metric not in VALIDATION_METRICS or job.tune.scheduler.kind == "pbt":
        return None
    if trial_job(job, best.point).training.split != job.training.split:
        return None
    unchanged = trial_job(job, {})
    others = (r for r in records if r.status == "finished" and r.number != best.number)
    return next((r for r in others if trial_job(job, r.point) == unchanged), None)


def improvement_over(
    job: TuneWorkloadConfig, snapshot: Snapshot, best: Checkpoint, default: Checkpoint, trial: int
) -> Improvement:
    """Measure two checkpoints on the users that the trials were validated on.

    Args:
        job: The study's config.
        snapshot: The data that the trials trained on.
        best: Checkpoint of the best trial.
        default: Checkpoint of the unchanged config.
        trial: Number of the trial that `default` comes from.
    """
    metric, training = job.tune.objectives[0].metric, job.training
    validation = load_validation_set(
        snapshot, training.split, max_users=training.validation_users, seed=job.seed, rank=0, world_size=1
    )
    assert validation is not None, "a study has a validation part"
    differences_U = _per_user(best, validation, metric) - _per_user(default, validation, metric)
    interval = intervals({metric: differences_U}, num_samples=_BOOTSTRAP_SAMPLES, seed=job.seed)[metric]
    return Improvement(metric=metric, trial=trial, num_users=len(differences_U), interval=interval)


def _per_user(checkpoint: Checkpoint, validation: ValidationSet, metric: str) -> NDArray[np.float64]:
    """The metric of each validation user, in the order of the users."""
    model = TwoTowerScorer.load(checkpoint)
    found = metrics_by_block(model.recommender, model.vectors_ID, validation)
    return np.concatenate([block[metric] for block in found])
