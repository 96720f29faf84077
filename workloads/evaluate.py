"""`visrec evaluate`: measure a checkpoint against baselines over the full catalogue, spread over the cluster."""

import time
from dataclasses import dataclass, replace

from rich.console import Console

from visrec.baselines.popularity import count_items
from visrec.cluster.session import ray_session
from visrec.config import EvaluateWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.evaluation.plan import plan_evaluation
from visrec.evaluation.summary import Summary, summarise
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.scorer import find_ranker
from visrec.reports.console import print_summary
from visrec.reports.context import ReportContext
from visrec.reports.files import REPORT_VERSION, write_report
from visrec.robustness.plan import plan_robustness
from visrec.storage import Artifact, Workspace, content_id
from visrec.workloads.measure import measure_on_cluster, measure_robustness


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateResult:
    """What an evaluation leaves.

    Attributes:
        report: The artifact with `report.json`, `report.md` and the plots.
        summary: The numbers; None where the report was there before.
    """

    report: Artifact
    summary: Summary | None


def run(job: EvaluateWorkloadConfig, *, console: Console) -> EvaluateResult:
    """Measure, and write a report.

    Raises:
        ArtifactError: The checkpoint or its snapshot is missing or damaged.
        ConfigError: The part to test is one that the model was trained on, or the model cannot be attacked as asked.
        DataError: No user has both a history and a held-out item.
    """
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
        return EvaluateResult(report=workspace.find("reports", name), summary=None)
    console.print(f"evaluate checkpoint {checkpoint.name} on {plan.config.part} of {plan.split.protocol}")
    with ray_session(job.ray):
        measures, evaluation_context, seconds = measure_on_cluster(plan, job.seed)
        robustness = None
        if robustness_plan is not None:
            robustness, seconds["attack"] = measure_robustness(robustness_plan)
    started = time.perf_counter()
    known = Snapshot(snapshot)
    summary = summarise(
        measures,
        plan.config,
        num_items=known.num_items,
        candidates=evaluation_context.candidates,
        seed=job.seed,
    )
    summary = replace(summary, robustness=robustness)
    context = ReportContext(
        plan=plan,
        seed=job.seed,
        num_items=known.num_items,
        num_ranked=known.num_items
        if evaluation_context.candidates is None
        else len(evaluation_context.candidates),
        num_users=known.num_users,
        known_counts=count_items(plan.known_events, known.num_items),
        ranked=evaluation_context.candidates,
        seconds=seconds | {"summarise": time.perf_counter() - started},
    )
    with workspace.create("reports", name, config=job, parents=parents) as writer:
        write_report(writer.staging, summary, measures, context)
        writer.counts |= {"num_users": summary.num_users, "num_targets": summary.num_targets}
    workspace.point("reports", name)
    print_summary(summary, context, console)
    console.print(f"report {name}: {workspace.location('reports', name) / 'report.md'}", soft_wrap=True)
    assert writer.result is not None
    return EvaluateResult(report=writer.result, summary=summary)
