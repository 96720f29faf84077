"""`visrec tune`: a hyperparameter study, resumable, which ends with a checkpoint and, if asked, a candidate release."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    PublishWorkloadConfig,
    TrainWorkloadConfig,
    TuneWorkloadConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError, GateError, StudyInterrupted, VisrecError
from visrec.models.checkpoint import Checkpoint
from visrec.releases import Release
from visrec.storage import ArtifactStore, Location, content_id
from visrec.training.run import initial_models
from visrec.tune.artifact import Study
from visrec.tune.compare import default_trial, improvement_over
from visrec.tune.points import check_space, mutable_keys, with_trial_recipe
from visrec.tune.records import StudyLog
from visrec.tune.report.facts import StudyFacts, StudySummary, study_facts
from visrec.tune.report.markdown import format_value
from visrec.tune.report.write import write_study
from visrec.tune.search import count_trials
from visrec.tune.study import run_trials
from visrec.tune.trial import trial_job
from visrec.tune.winner import keep_checkpoint
from visrec.workloads.activations import precompute
from visrec.workloads.evaluate import evaluate
from visrec.workloads.publish import publish
from visrec.workloads.settings import PlainSettings, workload_config, workload_console
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


@dataclass(frozen=True, kw_only=True, slots=True)
class TuneResult:
    """Artifacts of a study.

    Attributes:
        study: The study with its report.
        checkpoint: Checkpoint of the best trial.
        release: Candidate release, not yet current; None unless `tune.candidate_release` is set and the checkpoint
            passes the gate.
    """

    study: Study
    checkpoint: Checkpoint
    release: Release | None


def tune(
    config: TuneWorkloadConfig | PlainSettings = None,
    *,
    console: Console | None = None,
    progress: bool = False,
    **settings: Any,
) -> TuneResult:
    """Run a study, resume one (`tune.resume`), or find the one that the same config gave before.

    Args:
        config: A finished config, a mapping, or the path of a YAML file; see `visrec.workloads.settings`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.
        **settings: Settings laid over the mapping, the file or the defaults.

    Raises:
        ConfigError: The space does not fit the config, or an unfinished study exists and `tune.resume` is not set.
        VisrecError: Every trial failed.
        StudyInterrupted: Ctrl-C; the study can be resumed.

    Example:
        >>> visrec.tune("examples/tune-demo.yaml", progress=True).checkpoint.name        # doctest: +SKIP
        '4d9c98537a31'
    """
    job = workload_config(TuneWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    workspace = ArtifactStore(job.workspace)
    snapshot = Snapshot.find(workspace, job.snapshot)
    job = with_trial_recipe(job, snapshot)
    check(job)
    name = study_name(job, snapshot)
    folder = workspace.root / "runs" / f"study-{name}"
    if workspace.has("studies", name):
        console.print(f"study {name}: found, nothing to do")
    else:
        log = _open_log(job, folder, console)
        ending = _run(job, snapshot, log, console)
        _write(job, name, snapshot, log, ending)
    workspace.point("studies", name)
    study = Study.find(workspace, name)
    folder.delete()  # what a restart would have needed
    if job.tune.tracking:
        track_study(workspace, study, console)
    checkpoint = Checkpoint.find(workspace, study.summary.checkpoint)
    release = _candidate(job, checkpoint, console) if job.tune.candidate_release else None
    console.print(_summary(study), soft_wrap=True)
    if release is not None:
        console.print(
            f"  candidate release {release.name}: live after `visrec activate {release.name}`", soft_wrap=True
        )
    return TuneResult(study=study, checkpoint=checkpoint, release=release)


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
    ending: str
    with ray_session(job.ray):
        if job.tune.try_defaults:
            # Trials that start together would each compute the same activations of frozen blocks.
            first = trial_job(job, {})
            for model_job, model in initial_models(first, snapshot):
                precompute(model_job, model, snapshot, console)
        with StudyTable(console, job, log) as table:
            try:
                ending = run_trials(job, snapshot, log, on_change=table.show)
            except KeyboardInterrupt:
                ending = INTERRUPTED
    if ending == INTERRUPTED:
        raise StudyInterrupted("the study was interrupted; its results are kept, go on with --resume")
    return ending


def _write(job: TuneWorkloadConfig, name: str, snapshot: Snapshot, log: StudyLog, ending: str) -> None:
    workspace = ArtifactStore(job.workspace)
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


def _candidate(job: TuneWorkloadConfig, checkpoint: Checkpoint, console: Console) -> Release | None:
    """A release of the best checkpoint, measured on the test part; it does not become the current one."""
    common = {"workspace": job.workspace, "seed": job.seed, "ray": job.ray, "checkpoint": checkpoint.name}
    report = evaluate(EvaluateWorkloadConfig(**common, evaluation=job.evaluation), console=console)
    release = job.release.replace(activate=False)
    return publish_candidate(
        PublishWorkloadConfig(**common, report=report.name, release=release), console=console
    )


def publish_candidate(job: PublishWorkloadConfig, *, console: Console) -> Release | None:
    """Publish a study's checkpoint; one that the gate refuses leaves the study without a candidate, in one line."""
    try:
        return publish(job, console=console)
    except GateError as error:
        console.print(f"no candidate release: {error}", soft_wrap=True)
        return None


def _summary(study: Study) -> str:
    summary = study.summary
    values = ", ".join(f"{name} {format_value(v)}" for name, v in summary.best_objectives.items())
    lead = f"  {summary.lead.text}\n" if summary.lead else ""
    return (
        f"study {study.name}: best trial {summary.best_trial}, validation {values}; {study.trained_share:.0%} of the "
        f"epochs of full runs, {study.seconds / 60:.1f} min\n{lead}"
        f"  config {study.best_config}\n  checkpoint {summary.checkpoint}\n"
        f"  report {study.location / 'report.md'}"
    )
