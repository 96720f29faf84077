"""`visrec evaluate`: measure a checkpoint against baselines over the full catalogue, spread over the cluster."""

import time
from dataclasses import replace
from typing import Any

from rich.console import Console

from visrec.baselines.popularity import count_items
from visrec.cluster.session import ray_session
from visrec.config import EvaluateWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.evaluation.measure import EvaluationContext, Measures
from visrec.evaluation.plan import EvaluationPlan, plan_evaluation
from visrec.evaluation.summary import Summary, summarise
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.scorer import find_ranker
from visrec.reports.console import print_summary
from visrec.reports.context import ReportContext
from visrec.reports.files import REPORT_VERSION, write_report
from visrec.reports.report import Report
from visrec.robustness.plan import plan_robustness
from visrec.robustness.summary import Robustness
from visrec.storage import Workspace, content_id
from visrec.workloads.measure import measure_on_cluster, measure_robustness
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
    workspace = Workspace(job.workspace)
    checkpoint = Checkpoint.find(workspace, job.checkpoint)
    snapshot = workspace.find("snapshots", checkpoint.snapshot_name)
    ranker = find_ranker(workspace, checkpoint, job.evaluation.ranker)
    plan = plan_evaluation(checkpoint, snapshot, job.evaluation, ranker)
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
        measures, evaluation_context, seconds = measure_on_cluster(plan, job.seed)
        robustness = None
        if robustness_plan is not None:
            robustness, seconds["attack"] = measure_robustness(robustness_plan)
    summary, context = _summarise(measures, evaluation_context, plan, job.seed, robustness, seconds)
    with workspace.create("reports", name, config=job, parents=parents) as writer:
        write_report(writer.staging, summary, measures, context)
        writer.counts |= {"num_users": summary.num_users, "num_targets": summary.num_targets}
    workspace.point("reports", name)
    print_summary(summary, context, console)
    console.print(f"report {name}: {workspace.location('reports', name) / 'report.md'}", soft_wrap=True)
    return Report.find(workspace, name)


def _summarise(
    measures: Measures,
    evaluation_context: EvaluationContext,
    plan: EvaluationPlan,
    seed: int,
    robustness: Robustness | None,
    seconds: dict[str, float],
) -> tuple[Summary, ReportContext]:
    """Means and intervals over all users, and what the report says about them."""
    started = time.perf_counter()
    known = Snapshot(plan.snapshot)
    summary = summarise(
        measures,
        plan.config,
        num_items=known.num_items,
        candidates=evaluation_context.candidates,
        seed=seed,
    )
    summary = replace(summary, robustness=robustness)
    context = ReportContext(
        plan=plan,
        seed=seed,
        num_items=known.num_items,
        num_ranked=known.num_items
        if evaluation_context.candidates is None
        else len(evaluation_context.candidates),
        num_users=known.num_users,
        known_counts=count_items(plan.known_events, known.num_items),
        ranked=evaluation_context.candidates,
        seconds=seconds | {"summarise": time.perf_counter() - started},
    )
    return summary, context
