"""The numbers of a report, computed from the records of the trials."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from visrec.config import ObjectiveConfig, TuneWorkloadConfig
from visrec.tune.compare import Lead
from visrec.tune.objectives import oriented, pareto_front, ranked
from visrec.tune.optuna_bridge import recalled_study
from visrec.tune.records import TrialRecord
from visrec.tune.schedulers import rungs
from visrec.tune.space import in_order

MIN_TRIALS = 4
"""Fewer say nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Importance:
    """One key.

    Attributes:
        key: Of the space.
        share: Of the variance of the first objective that the keys explain, each alone; all of them together 1.
    """

    key: str
    share: float


def importances(job: TuneWorkloadConfig, records: Sequence[TrialRecord]) -> list[Importance]:
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
    return [Importance(key=key, share=float(share)) for key, share in found.items()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """What happened at one rung of ASHA.

    Attributes:
        epochs: Where it is.
        num_reached: Trials that got there.
        num_stopped: Trials that were stopped there.
        values: First objective of each that got there, best first.
    """

    epochs: float
    num_reached: int
    num_stopped: int
    values: list[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyFacts:
    """A finished study.

    Attributes:
        job: Its config.
        records: All trials by number.
        ending: How it ended: `done`, `time` or `patience`.
        seconds: How long it ran, over all its starts.
        order: Trials with a value, best first.
        front: Those that no other beats in all objectives; the best alone where there is one objective.
        rungs: Of ASHA; empty for other schedulers.
        importance: Of each key that enough trials vary.
        lead: Of the best trial over the config as it is, where the two can be compared.
    """

    job: TuneWorkloadConfig
    records: list[TrialRecord]
    ending: str
    seconds: float
    order: list[TrialRecord] = field(default_factory=list)
    front: list[TrialRecord] = field(default_factory=list)
    rungs: list[Rung] = field(default_factory=list)
    importance: list[Importance] = field(default_factory=list)
    lead: Lead | None = None

    @property
    def objectives(self) -> Sequence[ObjectiveConfig]:
        """Of the study."""
        return self.job.tune.objectives

    @property
    def keys(self) -> list[str]:
        """Keys of the space."""
        return in_order(self.job.tune.space)

    @property
    def trained_epochs(self) -> int:
        """Epochs that all trials trained."""
        return sum(r.num_trained for r in self.records)

    @property
    def planned_epochs(self) -> int:
        """Epochs that full runs of all trials would have trained."""
        return sum(r.planned_epochs for r in self.records)

    @property
    def trained_seconds(self) -> float:
        """Time of all epochs."""
        return sum(r.seconds for r in self.records)

    @property
    def saved_seconds(self) -> float:
        """What the epochs that were not trained would have taken, at each trial's own mean time of an epoch."""
        stopped = [r for r in self.records if r.status == "stopped" and r.results]
        return sum(max(r.planned_epochs - r.num_trained, 0) * r.seconds / r.num_trained for r in stopped)

    def count(self, status: str) -> int:
        """Trials that ended so."""
        return sum(r.status == status for r in self.records)


def study_facts(
    job: TuneWorkloadConfig, records: Sequence[TrialRecord], ending: str, seconds: float
) -> StudyFacts:
    """Compute everything that a report says."""
    order = ranked(job.tune.objectives, records)
    front = pareto_front(job.tune.objectives, records)
    found = [] if job.tune.scheduler.kind != "asha" else _rungs(job, records)
    return StudyFacts(
        job=job,
        records=list(records),
        ending=ending,
        seconds=seconds,
        order=order,
        front=front if len(job.tune.objectives) > 1 else front[:1],
        rungs=found,
        importance=importances(job, records),
    )


def best_so_far(
    objectives: Sequence[ObjectiveConfig], records: Sequence[TrialRecord]
) -> list[tuple[int, float, float]]:
    """(trial, its value, best value until then) of the first objective, for the trials that have one, by number."""
    rows: list[tuple[int, float, float]] = []
    best: float | None = None
    for record in records:
        if record.objectives is None or record.status == "failed":
            continue
        value = record.objectives[0]
        larger_is_better = objectives[0].direction == "max"
        best = value if best is None else (max if larger_is_better else min)(best, value)
        rows.append((record.number, value, best))
    return rows


def _rungs(job: TuneWorkloadConfig, records: Sequence[TrialRecord]) -> list[Rung]:
    longest = max((r.planned_epochs for r in records), default=1)
    found = []
    for epochs in rungs(job, longest):
        reached = [(r, r.results[_at(r, epochs)].objectives) for r in records if _at(r, epochs) >= 0]
        order = sorted(reached, key=lambda row: -oriented(job.tune.objectives, row[1])[0])
        stopped = [r for r, _ in reached if r.status == "stopped" and r.num_trained - 1 == _at(r, epochs)]
        found.append(
            Rung(
                epochs=epochs,
                num_reached=len(reached),
                num_stopped=len(stopped),
                values=[values[0] for _, values in order],
            )
        )
    return found


def _at(record: TrialRecord, epochs: float) -> int:
    """Place of the first result at or beyond a rung; -1 where the trial did not get there."""
    return next((place for place, r in enumerate(record.results) if r.epoch >= epochs), -1)
