"""`visrec tune`: a hyperparameter study, resumable, which ends with a checkpoint and, if asked, a candidate release."""

import time
from collections import Counter
from dataclasses import dataclass, replace

from rich.console import Console

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    PublishWorkloadConfig,
    TrainWorkloadConfig,
    TuneWorkloadConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError, VisrecError
from visrec.models.checkpoint import Checkpoint
from visrec.storage import Artifact, Location, Workspace, content_id
from visrec.training.initial import initial_model
from visrec.tune.compare import default_trial, improvement_over
from visrec.tune.points import check_space, mutable_keys
from visrec.tune.records import StudyLog
from visrec.tune.report.facts import StudyFacts, StudySummary, study_facts
from visrec.tune.report.markdown import format_value
from visrec.tune.report.write import BEST, write_study
from visrec.tune.search import count_trials
from visrec.tune.study import run_trials
from visrec.tune.trial import trial_job
from visrec.tune.winner import keep_checkpoint
from visrec.workloads import evaluate, publish
from visrec.workloads.activations import precompute
from visrec.workloads.study_table import StudyTable
from visrec.workloads.tracking import track_study

VERSION = 1
"""Raised when the same config would give another study."""
INTERRUPTED = "interrupted"
_RUN_SETTINGS = (
    "resume",
    "cpus_per_trial",
    "max_concurrent_trials",
    "max_failures",
    "candidate_release",
    "tracking",
)
"""Settings of how a study runs, which do not change its result and may differ between two starts."""


class StudyInterrupted(VisrecError):
    """The study was interrupted; its results are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TuneResult:
    """The result of a study.

    Attributes:
        study: The artifact with the report.
        checkpoint: Checkpoint of the best trial.
        release: Candidate release, where `tune.candidate_release` is set.
        seconds: Wall time of this call.
        found: Whether the study had been run before, so that nothing was done.
    """

    study: Artifact
    checkpoint: Checkpoint
    release: Artifact | None
    seconds: float
    found: bool


def run(job: TuneWorkloadConfig, *, console: Console) -> TuneResult:
    """Run a study, or resume one (`tune.resume`), or find the result of an earlier run of the same config.

    Raises:
        ConfigError: The space does not fit the config, or an unfinished study is there and `tune.resume` is not set.
        VisrecError: Every trial failed.
        StudyInterrupted: Ctrl-C; the study can be resumed.
    """
    started = time.perf_counter()
    check(job)
    workspace = Workspace(job.workspace)
    snapshot = Snapshot(workspace.find("snapshots", job.snapshot))
    name = study_name(job, snapshot)
    folder = workspace.root / "runs" / f"study-{name}"
    found = workspace.has("studies", name)
    if found:
        console.print(f"study {name}: found, nothing to do")
    else:
        log = _open_log(job, folder, console)
        ending = _run(job, snapshot, log, console)
        _write(job, name, snapshot, log, ending)
    workspace.point("studies", name)
    study = workspace.find("studies", name)
    folder.delete()  # it was needed to resume
    if job.tune.tracking:
        track_study(workspace, study, console)
    checkpoint = Checkpoint.find(workspace, StudySummary.read(study).checkpoint)
    release = _candidate(job, checkpoint, console) if job.tune.candidate_release else None
    console.print(_summary(study), soft_wrap=True)
    if release is not None:
        console.print(
            f"  candidate release {release.name}: live after `visrec activate {release.name}`", soft_wrap=True
        )
    return TuneResult(
        study=study,
        checkpoint=checkpoint,
        release=release,
        seconds=time.perf_counter() - started,
        found=found,
    )


def check(job: TuneWorkloadConfig) -> None:
    """Check the study's config before anything starts.

    Raises:
        ConfigError: The config does not fit.
    """
    check_space(job)
    if job.training.split.fit_on != "train":
        raise ConfigError(
            f"tune needs a validation part: expected training.split.fit_on: train, got {job.training.split.fit_on}"
        )
    if job.tune.scheduler.kind == "pbt":
        mutable_keys(job)


def study_name(job: TuneWorkloadConfig, snapshot: Snapshot) -> str:
    """Name of a study: a hash of everything that decides which trials it runs."""
    settings = job.tune.model_dump(mode="json", exclude=set(_RUN_SETTINGS))
    train = job.project(TrainWorkloadConfig)
    training = train.training.model_dump(mode="json", exclude={"torch_threads", "activation_cache_gb"})
    return content_id(VERSION, snapshot.name, job.seed, job.model, training, settings)


def _open_log(job: TuneWorkloadConfig, folder: Location, console: Console) -> StudyLog:
    log = StudyLog(folder)
    if not log.trials:
        return log
    ended = sum(record.has_ended for record in log.records)
    if not job.tune.resume:
        raise ConfigError(
            f"this study is unfinished ({ended} of {count_trials(job)} trials ended); go on with --resume, or delete "
            f"{folder}"
        )
    console.print(
        f"resuming: {ended} of {count_trials(job)} trials have ended, {log.seconds_spent():.0f} s spent"
    )
    return log


def _run(job: TuneWorkloadConfig, snapshot: Snapshot, log: StudyLog, console: Console) -> str:
    console.print(
        f"study on snapshot {snapshot.name}: {count_trials(job)} trials, search {job.tune.search.kind}, scheduler "
        f"{job.tune.scheduler.kind}, objective {' and '.join(o.metric for o in job.tune.objectives)}",
        soft_wrap=True,
    )
    with ray_session(job.ray):
        if job.tune.try_defaults:
            # Trials that start together would each compute the same activations of frozen blocks.
            first = trial_job(job, {})
            precompute(first, initial_model(first, snapshot)[0], snapshot, console)
        with StudyTable(console, job, log) as table:
            ending = run_trials(job, snapshot, log, on_change=table.show)
    if ending == INTERRUPTED:
        raise StudyInterrupted("the study was interrupted; its results are kept, go on with --resume")
    return ending


def _write(job: TuneWorkloadConfig, name: str, snapshot: Snapshot, log: StudyLog, ending: str) -> None:
    workspace = Workspace(job.workspace)
    facts = study_facts(job, log.records, ending, log.seconds_spent())
    if not facts.order:
        log.folder.delete()  # nothing to keep
        reasons = Counter(record.reason for record in facts.records if record.reason).most_common(1)
        why = f"the most frequent reason: {reasons[0][0]}" if reasons else "the study's time was over before"
        raise VisrecError(f"no trial has finished an epoch; {why}")
    best = facts.order[0]
    default = default_trial(job, facts.records, best)
    # The best comes last: `latest` then points at it.
    kept = [
        keep_checkpoint(job, name, snapshot, log, trial) for trial in (default, best) if trial is not None
    ]
    winner = kept[-1]
    if default is not None:
        facts = replace(facts, lead=improvement_over(job, snapshot, winner, kept[0], default.number))
    with workspace.create("studies", name, config=job, parents={"snapshots": snapshot.name}) as writer:
        write_study(writer.staging, facts, winner.name)
        writer.counts.update(_counts(facts))
        writer.facts.update(StudySummary.of(facts, winner.name).as_dict())


def _counts(facts: StudyFacts) -> dict[str, float]:
    return {
        "num_trials": len(facts.records),
        "num_finished": facts.count("finished"),
        "num_stopped": facts.count("stopped"),
        "num_failed": facts.count("failed"),
        "trained_epochs": facts.trained_epochs,
        "planned_epochs": facts.planned_epochs,
        "seconds": round(facts.seconds, 1),
    }


def _candidate(job: TuneWorkloadConfig, checkpoint: Checkpoint, console: Console) -> Artifact:
    """A release of the best checkpoint, measured on the test part, which does not go live by itself."""
    common = {"workspace": job.workspace, "seed": job.seed, "ray": job.ray, "checkpoint": checkpoint.name}
    report = evaluate.run(EvaluateWorkloadConfig(**common, evaluation=job.evaluation), console=console).report
    release = job.release.replace(activate=False)
    publishing = PublishWorkloadConfig(**common, report=report.name, release=release)
    return publish.run(publishing, console=console).release


def _summary(study: Artifact) -> str:
    summary, counts = StudySummary.read(study), study.manifest.counts
    values = ", ".join(f"{name} {format_value(v)}" for name, v in summary.best_objectives.items())
    share = counts["trained_epochs"] / max(counts["planned_epochs"], 1)
    lead = f"  {summary.lead.text}\n" if summary.lead else ""
    return (
        f"study {study.name}: best trial {summary.best_trial}, validation {values}; {share:.0%} of the epochs of full "
        f"runs, {counts['seconds'] / 60:.1f} min\n{lead}"
        f"  config {study.location / BEST}\n  checkpoint {summary.checkpoint}\n  report {study.location / 'report.md'}"
    )
