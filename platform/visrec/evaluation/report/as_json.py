"""The report for programs."""

from dataclasses import asdict
from typing import Any

from visrec.evaluation.report.context import ReportContext
from visrec.evaluation.report.robustness import robustness_json
from visrec.evaluation.summary import Group, Intervals, Summary

REPORT_VERSION = 1


def report_json(summary: Summary, context: ReportContext) -> dict[str, Any]:
    """Everything in `report.json`, of plain types. Intervals are `{"mean", "low", "high"}`."""
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
        "num_ranked": context.num_ranked,
        "metrics": _nested(summary.metrics),
        "ranker": plan.ranker.name if plan.ranker is not None else None,
        "paired": _nested(summary.paired),
        "ranker_gain": _nested({"": summary.ranker_gain})[""] if summary.ranker_gain is not None else None,
        "oracle_share": summary.oracle_share,
        "groups": {
            "activity": {name: _group(group) for name, group in summary.activity.items()},
            "target_popularity": {name: _group(group) for name, group in summary.popularity.items()},
        },
        "catalogue": summary.catalogue,
        "pairs": summary.pairs,
        "curves": summary.curves,
        "robustness": robustness_json(summary.robustness) if summary.robustness is not None else None,
        "left_out": plan.left_out,
        "seconds": {step: round(value, 3) for step, value in context.seconds.items()},
    }


def _nested(scorers: dict[str, Intervals]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        scorer: {metric: asdict(interval) for metric, interval in row.items()}
        for scorer, row in scorers.items()
    }


def _group(group: Group) -> dict[str, Any]:
    return {"num_users": group.num_users, "metrics": _nested(group.scorers)}
