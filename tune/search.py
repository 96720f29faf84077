"""Search: the points of a study's trials, drawn or enumerated beforehand, or suggested by Optuna as results come in."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import optuna
from ray.tune.search.optuna import OptunaSearch

from visrec.config import TuneWorkloadConfig
from visrec.tune.optuna_bridge import STUDY, as_parameters, is_inside, optuna_study, suggester
from visrec.tune.points import default_point
from visrec.tune.records import TrialRecord, objective_key
from visrec.tune.space import Point, draw_distinct, grid
from visrec.tune.trial import Assignment


def planned_points(job: TuneWorkloadConfig) -> list[Point]:
    """Points of a random or grid study in order, the same for the same config; empty where Optuna suggests them."""
    settings = job.tune
    if settings.search.kind == "optuna":
        return []
    if settings.search.kind == "grid":
        return list(itertools.islice(grid(settings.space), settings.num_trials))
    first = [default_point(job)] if settings.try_defaults else []
    count = settings.num_trials - len(first)
    return first + draw_distinct(settings.space, count, job.seed, first)


def count_trials(job: TuneWorkloadConfig) -> int:
    """Number of trials of a study: `num_trials`, or fewer where the space has fewer points."""
    return len(planned_points(job)) or job.tune.num_trials


class StudySearch(OptunaSearch):  # type: ignore[misc]
    """Ray Tune's Optuna searcher with numbered trials and the results of earlier starts of the study.

    Args:
        job: The study's config.
        earlier: Trials of earlier starts. Optuna learns from those that have ended; the others are suggested first,
            with their checkpoints.
    """

    def __init__(self, job: TuneWorkloadConfig, earlier: Sequence[TrialRecord]) -> None:
        objectives = job.tune.objectives
        ended = [record for record in earlier if record.has_ended]
        self._unfinished = [record for record in earlier if not record.has_ended]
        self._numbers: Iterator[int] = itertools.count(max((r.number for r in earlier), default=-1) + 1)
        names = [objective_key(number) for number in range(len(objectives))]
        modes = [o.direction for o in objectives]
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = optuna.storages.InMemoryStorage()
        optuna_study(job, ended, storage)
        waiting = [record.point for record in self._unfinished]
        if job.tune.try_defaults and not earlier and is_inside(job.tune.space, default_point(job)):
            waiting.append(default_point(job))
        super().__init__(
            space=suggester(job.tune.space),
            metric=names if len(names) > 1 else names[0],
            mode=modes if len(modes) > 1 else modes[0],
            points_to_evaluate=[as_parameters(job.tune.space, point) for point in waiting],
            # Another seed after a restart: the same one would draw the first points again.
            sampler=optuna.samplers.TPESampler(
                seed=job.seed + len(earlier), n_startup_trials=job.tune.search.startup_trials
            ),
            study_name=STUDY,
            storage=storage,
        )

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """The next trial's config."""
        point = super().suggest(trial_id)
        if self._unfinished:
            record = self._unfinished.pop(0)
            return {
                "trial": Assignment(
                    number=record.number, point=record.point, checkpoint=record.checkpoint
                ).as_dict()
            }
        return {"trial": Assignment(number=next(self._numbers), point=point).as_dict()}

    def save(self, checkpoint_path: str) -> None:
        """Write an empty file: a restart reads the study's log."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Nothing was saved."""
