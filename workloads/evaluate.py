"""`visrec evaluate`: measure a checkpoint against baselines over the full catalogue, spread over the cluster."""

import time
from typing import Any

from rich.console import Console

from visrec.cluster.session import ray_session
from visrec.config import EvaluateWorkloadConfig, EvaluationConfig
from visrec.data.snapshot import Snapshot
from visrec.evaluation.plan import ORACLE, RANKED, EvaluationPlan, ScorerFactory, plan_evaluation
from visrec.evaluation.summary import Summary, summarise
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.scorer import find_ranker
from visrec.reports.console import print_summary
from visrec.reports.context import ReportContext
from visrec.reports.files import REPORT_VERSION, write_report
from visrec.reports.report import Report
from visrec.robustness.plan import plan_robustness
from visrec.storage import Artifact, ArtifactStore, Location, content_id
from visrec.workloads.measure import (
    Measured,
    OracleScorerFactory,
    RankedScorerFactory,
    measure_on_cluster,
    measure_robustness,
)
from visrec.workloads.settings import PlainSettings, workload_config, workload_console


def evaluate(
    config: EvaluateWorkloadConfig | PlainSettings = None,
    *,
    console: Console | None = None,
    progress: bool = False,
    **settings: Any,
) -> Report:
    """Measure a checkpoint against baselines over the full catalogue and write a report, or find the one that exists.

    Args:
        config: A finished config, a mapping, or the path of a YAML file; see `visrec.workloads.settings`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.
        **settings: Settings laid over the mapping, the file or the defaults.

    Raises:
        ArtifactError: The checkpoint or its snapshot is missing or damaged.
        ConfigError: A setting is wrong, the model was trained on the part to test, or it cannot be attacked so.
        DataError: No user has both a history and a held-out item.
        ClusterError: Ray cannot be reached.

    Example:
        >>> visrec.evaluate(workspace="shop").metrics["model"]["ndcg@10"].mean           # doctest: +SKIP
        0.1196
    """
    job = workload_config(EvaluateWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    workspace = ArtifactStore(job.workspace)
    checkpoint = Checkpoint.find(workspace, job.checkpoint)
    snapshot = workspace.find("snapshots", checkpoint.snapshot_name)
    ranker = find_ranker(workspace, checkpoint, job.evaluation.ranker)
    plan = plan_evaluation(
        checkpoint, snapshot, job.evaluation, given=_given_scorers(ranker, snapshot, job.evaluation)
    )
    robustness_plan = plan_robustness(plan, workspace, job.seed)
    parents = {"checkpoints": checkpoint.name, "snapshots": snapshot.name}
    if ranker is not None:
        parents["rankers"] = ranker.name
    source = robustness_plan.source if robustness_plan is not None else None
    name = content_id("report", REPORT_VERSION, parents, source and source.name, job.evaluation, job.seed)
    if workspace.has("reports", name):
        workspace.point("reports", name)
        console.print(f"found report {name} of this checkpoint and config, nothing to do")
        return Report.find(workspace, name)
    console.print(f"evaluate checkpoint {checkpoint.name} on {plan.config.part} of {plan.split.protocol}")
    with ray_session(job.ray):
        measured = measure_on_cluster(plan, job.seed)
        robustness = None
        if robustness_plan is not None:
            robustness, measured.seconds["attack"] = measure_robustness(robustness_plan, measured.counts_I)
    summary, context = _summarise(measured, plan, job.seed, ranker)
    with workspace.create("reports", name, config=job, parents=parents) as writer:
        write_report(writer.staging, summary, measured.measures, context, robustness)
        writer.counts |= {"num_users": summary.num_users, "num_targets": summary.num_targets}
    workspace.point("reports", name)
    print_summary(summary, context, console, robustness)
    console.print(f"report {name}: {workspace.location('reports', name) / 'report.md'}", soft_wrap=True)
    return Report.find(workspace, name)


def _summarise(
    measured: Measured, plan: EvaluationPlan, seed: int, ranker: Artifact | None
) -> tuple[Summary, ReportContext]:
    """Means and intervals over all users, and what the report says about them."""
    started = time.perf_counter()
    summary = summarise(measured.measures, plan, seed=seed)
    context = ReportContext(
        plan=plan,
        seed=seed,
        num_users=Snapshot(plan.snapshot).num_users,
        counts_I=measured.counts_I,
        seconds=measured.seconds | {"summarise": time.perf_counter() - started},
        ranker=ranker,
    )
    return summary, context


def _given_scorers(
    ranker: Artifact | None, snapshot: Artifact, config: EvaluationConfig
) -> dict[str, ScorerFactory]:
    """Scorers of rooms that evaluation does not import: the learned ranker and the oracle, where there is one."""
    given: dict[str, ScorerFactory] = {}
    if ranker is not None:
        given[RANKED] = RankedScorerFactory(ranker=ranker)
    if (truth := _truth(snapshot, config)) is not None:
        given[ORACLE] = OracleScorerFactory(truth=truth)
    return given


def _truth(snapshot: Artifact, config: EvaluationConfig) -> Location | None:
    """Folder with the users' true tastes: from the config, else next to the snapshot's input, if it exists."""
    if config.truth is not None:
        return Location.parse(config.truth)
    uri = Snapshot(snapshot).facts.input.truth
    if not uri:
        return None
    location = Location.parse(uri)
    return location if location.exists() else None
