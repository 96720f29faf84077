"""How far the winner is ahead of the config as it is, user by user: the best of many trials was lucky as well."""

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
class Lead:
    """Winner minus the config as it is.

    Attributes:
        metric: Of which.
        trial: Number of the trial that is the config as it is.
        num_users: Validation users, the same for both.
        interval: Mean over them, and its 95% bootstrap interval.
    """

    metric: str
    trial: int
    num_users: int
    interval: Interval

    @property
    def text(self) -> str:
        """In one line.

        Example:
            >>> Lead("ndcg@10", 0, 2000, Interval(0.0028, -0.0034, 0.0089)).text
            '+0.0028 [-0.0034, +0.0089] ndcg@10 over the config as it is (trial 0), on the same 2,000 users'
        """
        mean, low, high = self.interval.mean, self.interval.low, self.interval.high
        return (
            f"{mean:+.4f} [{low:+.4f}, {high:+.4f}] {self.metric} over the config as it is (trial {self.trial}), on "
            f"the same {self.num_users:,} users"
        )


def default_trial(
    job: TuneWorkloadConfig, records: Sequence[TrialRecord], best: TrialRecord
) -> TrialRecord | None:
    """The trial of the config as it is, where it can be compared with the best: another one, and trained to its end.

    None as well where trials change their settings on the way, where what is compared is a cost, or where the best was
    held out other events.
    """
    if job.tune.objectives[0].metric not in VALIDATION_METRICS or job.tune.scheduler.kind == "pbt":
        return None
    if trial_job(job, best.point).training.split != job.training.split:
        return None
    as_it_is = trial_job(job, {})
    ended = (r for r in records if r.status == "finished" and r.number != best.number)
    return next((r for r in ended if trial_job(job, r.point) == as_it_is), None)


def lead_over(
    job: TuneWorkloadConfig, snapshot: Snapshot, winner: Checkpoint, default: Checkpoint, trial: int
) -> Lead:
    """Measure both on the users that the trials were validated on.

    Args:
        job: The study's config.
        snapshot: That it trained on.
        winner: Checkpoint of the best trial.
        default: Checkpoint of the config as it is.
        trial: Number of the trial that this one comes from.
    """
    metric, training = job.tune.objectives[0].metric, job.training
    validation = load_validation_set(
        snapshot, training.split, max_users=training.validation_users, seed=job.seed, rank=0, world_size=1
    )
    assert validation is not None, "a study has a validation part"
    differences_U = _per_user(winner, validation, metric) - _per_user(default, validation, metric)
    interval = intervals({metric: differences_U}, num_samples=_BOOTSTRAP_SAMPLES, seed=job.seed)[metric]
    return Lead(metric=metric, trial=trial, num_users=len(differences_U), interval=interval)


def _per_user(checkpoint: Checkpoint, validation: ValidationSet, metric: str) -> NDArray[np.float64]:
    """The metric of each validation user, in the order of the users."""
    model = TwoTowerScorer.load(checkpoint)
    found = metrics_by_block(model.recommender, model.vectors_ID, validation)
    return np.concatenate([block[metric] for block in found])
