"""Plots of an evaluation report."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from visrec.evaluation.summary import Group, Summary
from visrec.reports.context import ReportContext
from visrec.reports.style import COLOURS, MUTED, TEXT, new_figure, spread_labels, tidy, top_of_axes
from visrec.reports.tables import SCORER_TITLES, metric_title


def metric_bars(summary: Summary, context: ReportContext) -> Figure:
    """NDCG, recall and MRR of all scorers: a panel of bars for each, with bootstrap intervals."""
    k = context.plan.config.list_size
    names = (f"ndcg@{k}", f"recall@{k}", "mrr")
    scorers = list(summary.metrics)
    height = 1.5 + 0.36 * len(scorers)
    figure = new_figure(
        9.6,
        height,
        title="Accuracy of the ranking",
        subtitle=f"{summary.num_users:,} users, {context.num_candidates:,} items; lines are "
        f"{context.plan.config.confidence:.0%} bootstrap intervals over users",
    )
    panels = figure.subplots(1, len(names), sharey=True)
    figure.subplots_adjust(0.135, 0.34 / height, 0.985, top_of_axes(height), wspace=0.14)
    for axes, name in zip(panels, names, strict=True):
        highest = max(summary.metrics[scorer][name].high for scorer in scorers)
        for place, scorer in enumerate(reversed(scorers)):
            value = summary.metrics[scorer][name]
            axes.barh(place, value.mean, height=0.62, color=COLOURS[scorer])
            axes.plot(
                [value.low, value.high], [place, place], color=TEXT, linewidth=1.1, solid_capstyle="butt"
            )
            axes.text(
                value.high + 0.02 * highest, place, f"{value.mean:.3f}", size=8, va="center", color=TEXT
            )
        axes.set_title(metric_title(name), size=9.5, loc="left", color=TEXT)
        axes.set_xlim(0, max(highest * 1.2, 1e-6))
        axes.set_yticks(range(len(scorers)), [SCORER_TITLES[s] for s in reversed(scorers)])
        axes.locator_params(axis="x", nbins=4)
        tidy(axes, grid="x")
        axes.tick_params(axis="x", labelcolor=MUTED)
    return figure


def cutoff_curves(summary: Summary, context: ReportContext) -> Figure:
    """Recall@k and NDCG@k of all scorers as curves over k."""
    height = 3.9
    figure = new_figure(
        9.6,
        height,
        title="Recall and NDCG by length of the list",
        subtitle=f"Means over {summary.num_users:,} users, among {context.num_candidates:,} items",
    )
    length = min(len(summary.curves["model"]["recall"]), context.num_candidates)
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
            {SCORER_TITLES[s]: curves[name][length - 1] for s, curves in summary.curves.items()},
            {SCORER_TITLES[s]: COLOURS[s] for s in summary.curves},
        )
        axes.set_title(title, size=9.5, loc="left", color=TEXT)
        axes.set_xlabel("k", size=8.5, color=MUTED)
        tidy(axes, grid="y")
    return figure


def group_bars(summary: Summary, context: ReportContext) -> Figure:
    """NDCG by length of the user's history and by popularity of the held-out item, with bootstrap intervals."""
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


def long_tail(summary: Summary, context: ReportContext) -> Figure:
    """Share of the list positions that the most popular items take, beside their share of the known events."""
    height = 4.4
    k = context.plan.config.list_size
    figure = new_figure(
        7.2,
        height,
        title="Reach into the long tail",
        subtitle=f"Share of all positions in lists of {k} that the most popular items take; lower is wider",
    )
    axes = figure.subplots()
    figure.subplots_adjust(0.095, 0.55 / height, 0.97, 1 - 0.75 / height)
    candidates = np.arange(context.num_items) if context.candidates is None else context.candidates
    order = candidates[np.argsort(-context.counts_I[candidates], kind="stable")]
    share = np.arange(len(order) + 1) / len(order)
    for name, counts in reversed(summary.exposure.items()):
        width = 2.4 if name == "model" else 1.5
        line = cumulative_share(counts[order])
        axes.plot(share, line, color=COLOURS[name], linewidth=width, label=SCORER_TITLES[name])
    if context.counts_I[order].sum():  # cold items have none
        known = cumulative_share(context.counts_I[order])
        axes.plot(share, known, color=TEXT, linewidth=1.2, linestyle=":", label="Known events")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower right", frameon=False, fontsize=8, reverse=True)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.set_xlabel("Items, most popular first", size=8.5, color=MUTED)
    axes.set_ylabel("Share of recommendations", size=8.5, color=MUTED)
    tidy(axes, grid="both")
    return figure


def cumulative_share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the total in the first 0, 1, 2, ... counts: float64 [N + 1]."""
    return np.asarray(np.r_[0.0, np.cumsum(counts) / max(int(counts.sum()), 1)])


def _bars(axes: Any, groups: Mapping[str, Group], name: str, title: str) -> None:
    scorers = list(next(iter(groups.values())).scorers)
    width = 0.82 / len(scorers)
    for place, scorer in enumerate(scorers):
        values = [group.scorers[scorer][name] for group in groups.values()]
        at = np.arange(len(groups)) + (place - (len(scorers) - 1) / 2) * width
        axes.bar(
            at, [v.mean for v in values], width * 0.9, color=COLOURS[scorer], label=SCORER_TITLES[scorer]
        )
        axes.vlines(at, [v.low for v in values], [v.high for v in values], color=TEXT, linewidth=0.9)
    names = [f"{group}\n{value.num_users:,} users" for group, value in groups.items()]
    axes.set_xticks(range(len(groups)), names)
    axes.set_title(title, size=9.5, loc="left", color=TEXT)
    tidy(axes, grid="y")
    axes.tick_params(axis="y", labelcolor=MUTED)
