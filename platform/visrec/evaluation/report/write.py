"""All files of a report."""

import json

from visrec.data.snapshot import Snapshot
from visrec.evaluation.measure import Measures
from visrec.evaluation.report.as_json import report_json
from visrec.evaluation.report.context import ReportContext
from visrec.evaluation.report.markdown import report_markdown
from visrec.evaluation.report.per_user import write_per_user
from visrec.evaluation.report.plots.contact_sheet import contact_sheet, sheet_rows
from visrec.evaluation.report.plots.curves import cutoff_curves
from visrec.evaluation.report.plots.group_bars import group_bars
from visrec.evaluation.report.plots.long_tail import long_tail
from visrec.evaluation.report.plots.metric_bars import metric_bars
from visrec.evaluation.report.plots.robustness import robustness_plot
from visrec.evaluation.report.plots.style import png
from visrec.evaluation.summary import Summary
from visrec.storage import Location

PLOTS = {
    "metrics.png": "Main metrics of all scorers with their intervals",
    "curves.png": "Recall and NDCG by length of the list",
    "groups.png": "NDCG by length of the user's history and by popularity of the held-out item",
    "long_tail.png": "Share of the recommendations that the most popular items take",
    "contact_sheet.png": "What some users looked at, and what the model recommends to them",
}
"""File of each plot, and what it shows."""
ROBUSTNESS_PLOT = {"robustness.png": "Exposure of attacked items, and NDCG under common corruptions"}
"""Likewise, where robustness was measured."""


def write_report(folder: Location, summary: Summary, measures: Measures, context: ReportContext) -> None:
    """Write `report.json`, `report.md`, the plots, and what each user reached."""
    snapshot = Snapshot(context.plan.snapshot)
    rows = sheet_rows(measures, context.plan, seed=context.seed)
    figures = {
        "metrics.png": metric_bars(summary, context),
        "curves.png": cutoff_curves(summary, context),
        "groups.png": group_bars(summary, context),
        "long_tail.png": long_tail(summary, context),
        "contact_sheet.png": contact_sheet(rows, snapshot),
    }
    plots = PLOTS
    if summary.robustness is not None:
        plots = PLOTS | ROBUSTNESS_PLOT
        figures["robustness.png"] = robustness_plot(summary.robustness)
    for file, figure in figures.items():
        (folder / file).write_bytes(png(figure))
    (folder / "report.json").write_text(json.dumps(report_json(summary, context), indent=1))
    (folder / "report.md").write_text(report_markdown(summary, context, plots))
    write_per_user(folder, measures, context.plan.config.list_size)
