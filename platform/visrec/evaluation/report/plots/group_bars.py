"""For whom a model works: NDCG by groups of users and of held-out items."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from visrec.evaluation.report.context import TITLES, ReportContext
from visrec.evaluation.report.markdown import metric_title
from visrec.evaluation.report.plots.style import COLOURS, MUTED, TEXT, new_figure, tidy, top_of_axes
from visrec.evaluation.summary import Group, Summary


def group_bars(summary: Summary, context: ReportContext) -> Figure:
    """Two panels of grouped bars with intervals."""
    name = f"ndcg@{context.plan.config.list_size}"
    height = 4.3
    figure = new_figure(
        9.6,
        height,
        title=f"{metric_title(name)} by group",
        subtitle="Left: users by length of history. Right: by popularity of the held-out item. Lines are "
        f"{context.plan.config.confidence:.0%} bootstrap intervals",
    )
    left, right = figure.subplots(
        1, 2, sharey=True, width_ratios=[max(len(summary.activity), 1), max(len(summary.popularity), 1)]
    )
    figure.subplots_adjust(0.05, 0.75 / height, 0.99, top_of_axes(height), wspace=0.06)
    _bars(left, summary.activity, name, "Length of history")
    _bars(right, summary.popularity, name, "Popularity of the held-out item")
    left.set_ylim(bottom=0)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0.04, 0.0),
        ncols=len(labels),
        frameon=False,
        fontsize=8,
    )
    return figure


def _bars(axes: Any, groups: Mapping[str, Group], name: str, title: str) -> None:
    scorers = list(next(iter(groups.values())).scorers)
    width = 0.82 / len(scorers)
    for place, scorer in enumerate(scorers):
        values = [group.scorers[scorer][name] for group in groups.values()]
        at = np.arange(len(groups)) + (place - (len(scorers) - 1) / 2) * width
        axes.bar(at, [v.mean for v in values], width * 0.9, color=COLOURS[scorer], label=TITLES[scorer])
        axes.vlines(at, [v.low for v in values], [v.high for v in values], color=TEXT, linewidth=0.9)
    names = [f"{group}\n{value.num_users:,} users" for group, value in groups.items()]
    axes.set_xticks(range(len(groups)), names)
    axes.set_title(title, size=9.5, loc="left", color=TEXT)
    tidy(axes, grid="y")
    axes.tick_params(axis="y", labelcolor=MUTED)
