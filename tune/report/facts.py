"""The numbers of a study's report, computed from the records of its trials."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from pydantic import TypeAdapter, ValidationError

from visrec.config import ObjectiveConfig, TuneWorkloadConfig
from visrec.errors import ArtifactError
from visrec.storage import Artifact
from visrec.tune.compare import Improvement
from visrec.tune.objectives import oriented, pareto_front, ranked
from visrec.tune.optuna_bridge import optuna_study
from visrec.tune.records import TrialRecord
from visrec.tune.schedulers import rungs
from visrec.tune.space import Point, ordered_keys

MIN_TRIALS = 4
"""Trials with a value that an estimate of importance needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Importance:
    """Importance of one key of the space (fANOVA).

    Attributes:
        key: The config key.
        share: Its share of the variance of the first objective that the keys explain, each alone; shares add up to 1.
    """

    key: str
    share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """One rung of ASHA.

    Attributes:
        epochs: Epochs at which trials are compared.
        num_reached: Trials that reached it.
        num_stopped: Trials that were stopped at it.
        values: First objective of each trial that reached it, best first.
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
        front: The Pareto front; the best trial alone where there is one objective.
        rungs: Rungs of ASHA; empty for other schedulers.
        importance: Importance of each key that enough trials vary.
        lead: Lead of the best trial over the unchanged config, where the two can be compared.
    """

    job: TuneWorkloadConfig
    records: list[TrialRecord]
    ending: str
    seconds: float
    order: list[TrialRecord] = field(default_factory=list)
    front: list[TrialRecord] = field(default_factory=list)
    rungs: list[Rung] = field(default_factory=list)
    importance: list[Importance] = field(default_factory=list)
    lead: Improvement | None = None

    @property
    def objectives(self) -> Sequence[ObjectiveConfig]:
        """The study's objectives."""
        return self.job.tune.objectives

    @property
    def keys(self) -> list[str]:
        """Keys of the space, each after those that its condition names."""
        return ordered_keys(self.job.tune.space)

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
        """Time that early stopping saved: the epochs not trained, at each trial's mean time of an epoch."""
        stopped = [r for r in self.records if r.status == "stopped" and r.results]
        return sum(max(r.planned_epochs - r.num_trained, 0) * r.seconds / r.num_trained for r in stopped)

    def count(self, status: str) -> int:
        """Number of trials with a status."""
        return sum(r.status == status for r in self.records)


@dataclass(frozen=True, kw_only=True, slots=True)
class StudySummary:
    """The result of a study, as it stands in the manifest of its artifact.

    Attributes:
        ending: How it ended: `done`, `time` or `patience`.
        checkpoint: Name of the best trial's checkpoint.
        best_trial: Number of the best trial.
        best_point: Its settings in its last epoch.
        best_objectives: Its values, by the names of the objectives.
        lead: Its lead over the unchanged config, where the two can be compared.
    """

    ending: str
    checkpoint: str
    best_trial: int
    best_point: Point
    best_objectives: dict[str, float]
    lead: Improvement | None = None

    @classmethod
    def of(cls, facts: StudyFacts, checkpoint: str) -> Self:
        """The summary of a study whose best trial is kept as `checkpoint`."""
        best = facts.order[0]
        names = [o.metric for o in facts.objectives]
        return cls(
            ending=facts.ending,
            checkpoint=checkpoint,
            best_trial=best.number,
            best_point=best.last_point,
            best_objectives=dict(zip(names, best.objectives or [], strict=True)),
            lead=facts.lead,
        )

    @classmethod
    def read(cls, study: Artifact) -> Self:
        """The summary in the manifest of a study.

        Raises:
            ArtifactError: The manifest is damaged.
        """
        try:
            return TypeAdapter(cls).validate_python(study.manifest.facts)
        except ValidationError as error:
            first = error.errors()[0]
            raise ArtifactError(
                f"study {study.name}: damaged manifest: facts.{'.'.join(map(str, first['loc']))}: {first['msg']}"
            ) from None

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        lead = asdict(self.lead) | {"text": self.lead.text} if self.lead is not None else None
        return asdict(self) | {"lead": lead}


def study_facts(
    job: TuneWorkloadConfig, records: Sequence[TrialRecord], ending: str, seconds: float
) -> StudyFacts:
    """Compute the numbers of a report."""
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
    """(trial number, value, best value so far) of the first objective, for the trials that have a value, by number."""
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


def importances(job: TuneWorkloadConfig, records: Sequence[TrialRecord]) -> list[Importance]:
    """Importance of the keys that every trial has, most important first.

    Empty where too few trials have a value, and for a population, whose trials mix settings of several. A trial
    that was stopped early counts with its value at that time, so a key that slows training seems worse than it is.
    """
    if job.tune.scheduler.kind == "pbt":
        return []
    usable = [r for r in records if r.objectives is not None and r.status != "failed"]
    study = optuna_study(job, usable)
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
    """Index of the first result at or beyond a rung; -1 where the trial did not reach it."""
    return next((place for place, r in enumerate(record.results) if r.epoch >= epochs), -1)
