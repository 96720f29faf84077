"""The files of a report: `report.json`, `report.md`, plots, and the metrics of each user."""

import json
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from visrec.data.snapshot import Snapshot
from visrec.evaluation.bootstrap import Intervals
from visrec.evaluation.measure import Measures
from visrec.evaluation.pairs import PairClassification
from visrec.evaluation.summary import Group, Summary
from visrec.reports.contact_sheet import contact_sheet, sheet_rows
from visrec.reports.context import ReportContext
from visrec.reports.markdown import report_markdown
from visrec.reports.plots import cutoff_curves, group_bars, long_tail, metric_bars
from visrec.reports.report import PER_USER, REPORT_JSON, REPORT_MARKDOWN
from visrec.reports.robustness import robustness_json, robustness_plot
from visrec.reports.style import png
from visrec.robustness.summary import Robustness
from visrec.storage import Location

REPORT_VERSION = 1
PLOTS = {
    "metrics.png": "Main metrics of all scorers with their intervals",
    "curves.png": "Recall and NDCG by length of the list",
    "groups.png": "NDCG by length of the user's history and by popularity of the held-out item",
    "long_tail.png": "Share of the recommendations that the most popular items take",
    "contact_sheet.png": "Pictures of some users' histories, and of what the model recommends to them",
}
"""File of each plot -> its caption."""
ROBUSTNESS_PLOT = {"robustness.png": "Exposure of attacked items, and NDCG under common corruptions"}
"""Likewise, where robustness was measured."""


def write_report(
    folder: Location,
    summary: Summary,
    measures: Measures,
    context: ReportContext,
    robustness: Robustness | None = None,
) -> None:
    """Write all files of a report.

    Args:
        folder: Where they go.
        summary: The numbers.
        measures: Metrics and lists of each user.
        context: What was measured, and how.
        robustness: Effects of attacks and corruptions, where they were measured.
    """
    rows = sheet_rows(measures, context.plan, seed=context.seed)
    figures = {
        "metrics.png": metric_bars(summary, context),
        "curves.png": cutoff_curves(summary, context),
        "groups.png": group_bars(summary, context),
        "long_tail.png": long_tail(summary, context),
        "contact_sheet.png": contact_sheet(rows, Snapshot(context.plan.snapshot)),
    }
    plots = PLOTS
    if robustness is not None:
        plots = PLOTS | ROBUSTNESS_PLOT
        figures["robustness.png"] = robustness_plot(robustness)
    for file, figure in figures.items():
        (folder / file).write_bytes(png(figure))
    (folder / REPORT_JSON).write_text(json.dumps(report_json(summary, context, robustness), indent=1))
    (folder / REPORT_MARKDOWN).write_text(report_markdown(summary, context, plots, robustness))
    _write_per_user(folder / PER_USER, measures, context.plan.config.list_size)


def report_json(
    summary: Summary, context: ReportContext, robustness: Robustness | None = None
) -> dict[str, Any]:
    """Content of `report.json`, of plain types. Intervals are `{"mean", "low", "high"}`."""
    plan = context.plan
    return {
        "version": REPORT_VERSION,
        "checkpoint": plan.checkpoint.name,
        "snapshot": plan.snapshot.name,
        "part": plan.config.part,
        "split": plan.split.model_dump(mode="json"),
        "seed": context.seed,
        "evaluation": plan.config.model_dump(mode="json"),
        "num_users": summary.num_users,
        "num_targets": summary.num_targets,
        "num_items": context.num_items,
        "num_ranked": context.num_candidates,
        "metrics": _nested(summary.metrics),
        "ranker": context.ranker.name if context.ranker is not None else None,
        "paired": _nested(summary.paired),
        "ranker_gain": _nested({"": summary.ranker_gain})[""] if summary.ranker_gain is not None else None,
        "oracle_share": summary.oracle_share,
        "members": {
            name: _nested({"alone": member.alone, "gain": member.gain})
            for name, member in summary.members.items()
        },
        "groups": {
            "activity": {name: _group(group) for name, group in summary.activity.items()},
            "target_popularity": {name: _group(group) for name, group in summary.popularity.items()},
        },
        "catalogue": summary.catalogue,
        "pairs": {scorer: _pairs(found) for scorer, found in summary.pairs.items()},
        "curves": summary.curves,
        "robustness": robustness_json(robustness) if robustness is not None else None,
        "left_out": dict(plan.left_out),
        "seconds": {step: round(value, 3) for step, value in context.seconds.items()},
    }


def _nested(scorers: dict[str, Intervals]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        scorer: {metric: asdict(interval) for metric, interval in row.items()}
        for scorer, row in scorers.items()
    }


def _group(group: Group) -> dict[str, Any]:
    return {"num_users": group.num_users, "metrics": _nested(group.scorers)}


def _pairs(found: PairClassification | None) -> dict[str, float] | None:
    return {name: float(value) for name, value in asdict(found).items()} if found is not None else None


def _write_per_user(location: Location, measures: Measures, k: int) -> None:
    """Write a table of `user_index` and float32 columns such as `model/ndcg@10` of every scorer."""
    columns: dict[str, Any] = {"user_index": measures.user_index}
    for name, scorer in measures.scorers.items():
        for metric in (f"recall@{k}", f"ndcg@{k}"):
            columns[f"{name}/{metric}"] = scorer.metrics[metric].astype("float32")
    pq.write_table(pa.table(columns), location.path, filesystem=location.filesystem)
