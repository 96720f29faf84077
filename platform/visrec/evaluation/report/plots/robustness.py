"""Exposure of attacked items by strength of the attack, and NDCG under common corruptions."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from visrec.evaluation.bootstrap import Interval
from visrec.evaluation.report.plots.style import COLOURS, MUTED, TEXT, new_figure, tidy, top_of_axes
from visrec.evaluation.robustness.summary import Robustness

_LINES = {"jpeg": "#0072B2", "blur": "#E69F00", "noise": "#009E73", "brightness": "#CC79A7"}


def robustness_plot(robustness: Robustness) -> Figure:
    """Two panels; the second only where corruptions were measured."""
    height, k = 3.9, robustness.list_size
    figure = new_figure(
        9.6,
        height,
        title="What changed pictures do",
        subtitle=f"{robustness.num_users:,} users, lists of {k}; left: {robustness.num_targets:,} unpopular items "
        "attacked, with bootstrap intervals over users; right: all pictures corrupted",
    )
    panels = figure.subplots(1, 2 if robustness.corruptions else 1, squeeze=False)[0]
    figure.subplots_adjust(0.075, 0.5 / height, 0.985, top_of_axes(height), wspace=0.2)
    _exposure(panels[0], robustness)
    if robustness.corruptions:
        _corruptions(panels[1], robustness)
    return figure


def _exposure(axes: Any, robustness: Robustness) -> None:
    name = f"exposure@{robustness.list_size}"
    clean = robustness.clean[name]
    for transferred, label, colour in (
        (False, "white box", COLOURS["model"]),
        (True, "transferred", COLOURS["recent_popularity"]),
    ):
        found = [effect for effect in robustness.pushes if effect.push.transferred == transferred]
        if found:
            values = [clean, *(effect.after[name] for effect in found)]
            _line(axes, [0, *(effect.push.epsilon for effect in found)], values, label, colour)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(bottom=0)
    axes.set_title("Share of all places that the attacked items take", size=9.5, loc="left", color=TEXT)
    axes.set_xlabel("largest change of a pixel, of 255", size=8.5, color=MUTED)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    tidy(axes, grid="y")


def _corruptions(axes: Any, robustness: Robustness) -> None:
    clean = robustness.clean[f"ndcg@{robustness.list_size}"]
    severities = list(dict.fromkeys(effect.corruption.severity for effect in robustness.corruptions))
    for name, colour in _LINES.items():
        found = {e.corruption.severity: e.ndcg for e in robustness.corruptions if e.corruption.name == name}
        if found:
            means = [clean.mean, *(found[s].mean for s in severities)]
            axes.plot(means, color=colour, linewidth=1.8, marker="o", markersize=4, label=name)
    axes.set_xticks(range(len(severities) + 1), ["none", *severities])
    axes.set_ylim(bottom=0)
    axes.set_title(
        f"NDCG@{robustness.list_size} by severity of the corruption", size=9.5, loc="left", color=TEXT
    )
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    tidy(axes, grid="y")


def _line(axes: Any, places: list[int], values: list[Interval], label: str, colour: str) -> None:
    means = [value.mean for value in values]
    spread = [[v.mean - v.low for v in values], [v.high - v.mean for v in values]]
    axes.errorbar(
        places, means, yerr=spread, color=colour, linewidth=1.8, marker="o", markersize=4, label=label
    )
