"""Every trial as a line through its settings."""

import math
from typing import Any

from matplotlib.figure import Figure

from visrec.evaluation.report.plots.style import COLOURS, MUTED, new_figure, tidy, top_of_axes
from visrec.tune.report.facts import StudyFacts
from visrec.tune.report.plots.look import BEST, is_log
from visrec.tune.report.values import setting

_BACKGROUND = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8}
"""Of a label that lines cross."""


def parallel_coordinates(facts: StudyFacts) -> Figure:
    """Every trial as a line through its settings to its value; the better, the darker."""
    figure = new_figure(
        10,
        4.2,
        title="Parallel coordinates",
        subtitle="one line a trial through its settings, ending at its value; the best tenth (at least one) in colour",
    )
    axes = figure.add_axes((0.06, 0.24, 0.88, top_of_axes(4.2) - 0.24))
    name = facts.objectives[0].metric
    columns = [*facts.keys, name]
    rows = facts.order[::-1]
    num_best = max(1, len(rows) // 10)
    scales = {
        key: _scale([r.point.get(key) for r in rows if key in r.point], is_log(facts, key))
        for key in facts.keys
    }
    scales[name] = _scale([r.objectives[0] for r in rows if r.objectives], False)
    for place, record in enumerate(rows):
        values = {**record.point, name: record.objectives[0] if record.objectives else None}
        points = [(x, scales[c][0](values[c])) for x, c in enumerate(columns) if c in values]
        is_best = place >= len(rows) - num_best
        axes.plot(
            *zip(*points, strict=True),
            color=BEST if is_best else COLOURS["model"],
            alpha=0.95 if is_best else 0.15 + 0.35 * place / max(len(rows), 1),
            linewidth=2 if is_best else 1,
        )
    for x, column in enumerate(columns):
        axes.axvline(x, color="#BBBBBB", linewidth=0.9)
        for y, text in scales[column][1]:
            axes.text(x + 0.02, y, text, size=7, color=MUTED, va="center", bbox=_BACKGROUND, zorder=4)
    crowded = len(columns) > 6
    axes.set_xticks(
        range(len(columns)),
        [_short(c) for c in columns],
        size=7.5,
        rotation=15 if crowded else 0,
        ha="right" if crowded else "center",
    )
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.set_xlim(-0.1, len(columns) - 0.6)
    tidy(axes, grid="y")
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def _short(key: str) -> str:
    """Without the section: it says little, and room is scarce."""
    return key.removeprefix("training.").removeprefix("model.")


def _cut(text: str) -> str:
    return text if len(text) <= 22 else text[:21] + "…"


def _scale(values: list[Any], is_log: bool) -> tuple[Any, list[tuple[float, str]]]:
    """A function from a value to its height in 0..1, and the labels of an axis."""
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numeric:
        kinds = sorted({setting(v) for v in values})
        heights = {kind: (k + 0.5) / len(kinds) for k, kind in enumerate(kinds)}
        return (lambda v: heights[setting(v)]), [(heights[kind], _cut(kind)) for kind in kinds]
    shown = (lambda v: math.log10(v)) if is_log else float
    low, high = (min(map(shown, values)), max(map(shown, values))) if values else (0.0, 1.0)
    span = (high - low) or 1.0
    ends = sorted({min(values), max(values)}) if values else []
    return (lambda v: (shown(v) - low) / span), [((shown(v) - low) / span, f"{v:.3g}") for v in ends]
