"""How much of the differences between trials each key explains: fANOVA (Hutter et al. 2014), by Optuna."""

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.importance import FanovaImportanceEvaluator

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
        share: Of the variance of the first objective that the key alone explains; what is missing from 1 over all
            keys is due to several of them together.
    """

    key: str
    share: float


def importances(job: TuneJob, records: Sequence[TrialRecord]) -> list[Importance]:
    """The keys that every trial has, most important first; nothing where too few trials have a value.

    A trial that was stopped early counts with the value that it had then, so a key that makes training slow looks worse
    than it would after full runs.
    """
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
    evaluator = FanovaImportanceEvaluator(seed=job.seed)
    found = evaluator.evaluate(study, params=varied, target=lambda trial: trial.values[0])
    order = sorted(found, key=lambda key: -found[key])
    return [Importance(key, float(found[key])) for key in order]
