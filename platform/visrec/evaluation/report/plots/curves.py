"""Recall and NDCG by length of the list."""

import numpy as np
from matplotlib.figure import Figure

from visrec.evaluation.report.context import TITLES, ReportContext
from visrec.evaluation.report.plots.labels import spread_labels
from visrec.evaluation.report.plots.style import COLOURS, MUTED, TEXT, new_figure, tidy, top_of_axes
from visrec.evaluation.summary import Summary


def cutoff_curves(summary: Summary, context: ReportContext) -> Figure:
    """Two panels of lines, each named at its end."""
    height = 3.9
    figure = new_figure(
        9.6,
        height,
        title="Recall and NDCG by length of the list",
        subtitle=f"Means over {summary.num_users:,} users, among {context.num_ranked:,} items",
    )
    length = min(len(summary.curves["model"]["recall"]), context.num_ranked)
    panels = figure.subplots(1, 2)
    figure.subplots_adjust(0.05, 0.48 / height, 0.875, top_of_axes(height), wspace=0.5)
    for axes, (name, title) in zip(panels, (("recall", "Recall@k"), ("ndcg", "NDCG@k")), strict=True):
        for scorer, curves in reversed(summary.curves.items()):
            values = curves[name][:length]
            axes.plot(
                np.arange(1, len(values) + 1),
                values,
                color=COLOURS[scorer],
                linewidth=2.4 if scorer == "model" else 1.5,
                linestyle="--" if scorer == "oracle" else "-",
            )
        axes.set_xlim(1, max(length, 2))
        axes.set_ylim(bottom=0)
        spread_labels(
            axes,
            {TITLES[s]: curves[name][length - 1] for s, curves in summary.curves.items()},
            {TITLES[s]: COLOURS[s] for s in summary.curves},
        )
        axes.set_title(title, size=9.5, loc="left", color=TEXT)
        axes.set_xlabel("k", size=8.5, color=MUTED)
        tidy(axes, grid="y")
    return figure
