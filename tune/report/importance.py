"""How much of the differences between trials each key explains: fANOVA (Hutter et al. 2014), by Optuna."""

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from visrec.config import TuneJob
from visrec.tune.optuna_terms import recalled_study
from visrec.tune.records import TrialRecord

MIN_TRIALS = 4
"""Fewer say nothing."""


@dataclass(frozen=True)
class Importance:
    """One key.

    Attributes:
        key: Of the space.
        share: Of the variance of the first objective that the keys explain, each alone; all of them together 1.
    """

    key: str
    share: float


def importances(job: TuneJob, records: Sequence[TrialRecord]) -> list[Importance]:
    """The keys that every trial has, most important first; nothing where too few trials have a value, or for a
    population, whose trials have no settings and value of their own.

    A trial that was stopped early counts with the value that it had then, so a key that makes training slow looks worse
    than it would after full runs.
    """
    if job.tune.scheduler.kind == "pbt":
        return []
    usable = [r for r in records if r.objectives is not None and r.status != "failed"]
    study = recalled_study(job, usable)
    trials = study.get_trials(deepcopy=False)
    if len(trials) < MIN_TRIALS or len({t.values[0] for t in trials}) < 2:
        return []
    shared = sorted(set.intersection(*(set(t.params) for t in trials)))
    varied = [key for key in shared if len({t.params[key] for t in trials}) > 1]
    if not varied:
        return []
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found = get_param_importances(
        study,
        evaluator=FanovaImportanceEvaluator(seed=job.seed),
        params=varied,
        target=lambda trial: trial.values[0],
    )
    return [Importance(key, float(share)) for key, share in found.items()]
