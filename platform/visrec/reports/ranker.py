"""Plots of a trained ranker: calibration and importance of the features."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from visrec.config.ranker import POSITIVE
from visrec.ranking.quality import TaskQuality
from visrec.reports.style import COLOURS, MUTED, TEXT, new_figure, tidy, top_of_axes


def reliability_plot(tasks: Mapping[str, TaskQuality]) -> Figure:
    """Reliability diagram of each task: predicted probability against observed frequency."""
    height = 3.6
    figure = new_figure(
        max(3.2 * len(tasks), 5.0),
        height,
        title="Calibration of the ranker",
        subtitle="15 bins with as many examples each, of users that network and calibration were not trained on",
    )
    panels = np.atleast_1d(figure.subplots(1, len(tasks)))
    figure.subplots_adjust(0.1, 0.55 / height, 0.98, top_of_axes(height), wspace=0.35)
    for axes, (task, quality) in zip(panels, tasks.items(), strict=True):
        predicted, observed, _ = quality.reliability
        limit = 1.08 * max(*predicted, *observed, 1e-6)
        axes.plot([0, limit], [0, limit], color=MUTED, linewidth=1, linestyle="--")
        axes.plot(predicted, observed, color=COLOURS["model"], linewidth=1.5, marker="o", markersize=4)
        axes.set_xlim(0, limit)
        axes.set_ylim(0, limit)
        name = "taken next" if task == POSITIVE else task
        axes.set_title(
            f"{name}: calibration error {quality.calibration_error:.4f}", size=9.5, loc="left", color=TEXT
        )
        axes.set_xlabel("predicted", size=8.5, color=MUTED)
        axes.set_ylabel("observed", size=8.5, color=MUTED)
        tidy(axes, grid="y")
    return figure


def importance_plot(names: Sequence[str], importance: Sequence[float]) -> Figure:
    """Importance of each feature, largest first."""
    order = np.argsort(importance)
    height = 1.3 + 0.19 * len(names)
    figure = new_figure(
        6.4,
        height,
        title="Importance of the features",
        subtitle="Mean absolute contribution to a score, in log-odds",
    )
    axes = figure.subplots()
    figure.subplots_adjust(0.3, 0.35 / height, 0.97, top_of_axes(height))
    axes.barh(range(len(names)), np.asarray(importance)[order], color=COLOURS["model"], height=0.7)
    axes.set_yticks(range(len(names)), [names[k].replace("_", " ") for k in order])
    axes.set_ylim(-0.6, len(names) - 0.4)
    tidy(axes, grid="x")
    return figure
