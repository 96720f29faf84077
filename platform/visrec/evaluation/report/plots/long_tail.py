"""Where recommendations go: to the few popular items, or into the long tail."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from visrec.evaluation.report.context import TITLES, ReportContext
from visrec.evaluation.report.plots.style import COLOURS, MUTED, TEXT, new_figure, tidy
from visrec.evaluation.summary import Summary


def long_tail(summary: Summary, context: ReportContext) -> Figure:
    """Cumulative share of the list places that the most popular items take, beside their share of the known events."""
    height = 4.4
    k = context.plan.config.list_size
    figure = new_figure(
        7.2,
        height,
        title="How far recommendations reach into the long tail",
        subtitle=f"Share of all places in lists of {k} that the most popular items take; the nearer a line to the "
        "dotted one, the wider it reaches",
    )
    axes = figure.subplots()
    figure.subplots_adjust(0.095, 0.55 / height, 0.97, 1 - 0.75 / height)
    ranked = np.arange(context.num_items) if context.ranked is None else context.ranked
    order = ranked[np.argsort(-context.known_counts[ranked], kind="stable")]
    share = np.arange(len(order) + 1) / len(order)
    for name, counts in reversed(summary.exposure.items()):
        width = 2.4 if name == "model" else 1.5
        line = cumulative_share(counts[order])
        axes.plot(share, line, color=COLOURS[name], linewidth=width, label=TITLES[name])
    if context.known_counts[order].sum():  # cold items have none
        known = cumulative_share(context.known_counts[order])
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
    """Share of the total that the first 0, 1, 2, ... counts make: float64 [N + 1]."""
    return np.asarray(np.r_[0.0, np.cumsum(counts) / max(int(counts.sum()), 1)])
