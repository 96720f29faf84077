"""The plots of a study's report."""

import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from visrec.config import ObjectiveConfig
from visrec.reports.style import COLOURS, MUTED, new_figure, tidy, top_of_axes
from visrec.tune.report.facts import StudyFacts, best_so_far
from visrec.tune.report.markdown import format_setting

STATUS_COLOURS = {"finished": COLOURS["model"], "stopped": COLOURS["recent_popularity"], "failed": "#D55E00"}
BEST = COLOURS["item_knn"]


def wide_figure(height: float, *, title: str, subtitle: str) -> tuple[Figure, Any]:
    """A figure of 9 inches by `height` with one pair of axes."""
    figure = new_figure(9, height, title=title, subtitle=subtitle)
    axes = figure.add_axes((0.08, 0.5 / height, 0.89, top_of_axes(height) - 0.5 / height))
    return figure, axes


def count_along_x(axes: Any) -> None:
    """Put ticks at whole numbers on the horizontal axis."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def is_log(facts: StudyFacts, key: str) -> bool:
    """Whether a key is drawn on a logarithmic scale."""
    return facts.job.tune.space[key].loguniform is not None


def history(facts: StudyFacts) -> Figure:
    """The first objective of every trial, and the best so far."""
    name = facts.objectives[0].metric
    figure, axes = wide_figure(3.4, title="Optimisation history", subtitle=f"validation {name} of each trial")
    rows = best_so_far(facts.objectives, facts.records)
    by_number = {r.number: r for r in facts.records}
    for status in ("finished", "stopped"):
        points = [(n, value) for n, value, _ in rows if by_number[n].status == status]
        if points:
            axes.scatter(
                *zip(*points, strict=True), s=22, color=STATUS_COLOURS[status], label=status, zorder=3
            )
    failed = [r.number for r in facts.records if r.status == "failed"]
    if failed and rows:
        low = min(value for _, value, _ in rows)
        axes.scatter(
            failed, [low] * len(failed), marker="x", s=26, color=STATUS_COLOURS["failed"], label="failed"
        )
    axes.step([n for n, _, _ in rows], [b for *_, b in rows], where="post", color=BEST, label="best so far")
    count_along_x(axes)
    axes.set_xlabel("trial", size=8.5, color=MUTED)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes, grid="y")
    return figure


def importance_bars(facts: StudyFacts) -> Figure:
    """Bars: share of the variance that each key explains."""
    rows = facts.importance[::-1]
    height = 1.5 + 0.32 * len(rows)
    figure = new_figure(
        9,
        height,
        title="Parameter importance",
        subtitle="fANOVA: variance that each key explains alone, as a share of what all explain so",
    )
    axes = figure.add_axes((0.36, 0.42 / height, 0.6, top_of_axes(height) - 0.42 / height))
    axes.barh([r.key for r in rows], [r.share for r in rows], color=COLOURS["model"], height=0.6)
    axes.set_xlim(0, 1)
    tidy(axes, grid="x")
    return figure


def learning_curves(facts: StudyFacts) -> Figure:
    """The first objective of every trial after each epoch; the rungs of ASHA as lines."""
    name = facts.objectives[0].metric
    figure, axes = wide_figure(
        3.6,
        title="Learning curves",
        subtitle=f"best validation {name} of the phase until each epoch"
        + ("; dotted: rungs of ASHA" if facts.rungs else ""),
    )
    best = facts.order[0].number
    for record in facts.records:
        epochs = [r.epoch for r in record.results]
        values = [r.objectives[0] for r in record.results]
        is_best = record.number == best
        colour = BEST if is_best else STATUS_COLOURS.get(record.status, MUTED)
        axes.plot(
            epochs,
            values,
            color=colour,
            linewidth=2 if is_best else 1,
            alpha=1 if is_best else 0.55,
            marker="o",
            markersize=2.5,
            label=f"best: trial {record.number}" if is_best else None,
        )
    for status in ("finished", "stopped", "failed"):
        if facts.count(status):
            axes.plot([], [], color=STATUS_COLOURS[status], alpha=0.55, linewidth=1, label=status)
    for rung in facts.rungs:
        axes.axvline(rung.epochs, color="#AAAAAA", linewidth=0.9, linestyle=":")
    count_along_x(axes)
    axes.set_xlabel("epochs", size=8.5, color=MUTED)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes, grid="y")
    return figure


_BACKGROUND = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8}
"""Box of a label that lines cross."""


def parallel_coordinates(facts: StudyFacts) -> Figure:
    """Parallel coordinates: every trial as a line through its settings to its value; the better, the darker."""
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
    """The key without its section, to save space."""
    return key.removeprefix("training.").removeprefix("model.")


def _cut(text: str) -> str:
    return text if len(text) <= 22 else text[:21] + "…"


def _scale(values: list[Any], is_log: bool) -> tuple[Any, list[tuple[float, str]]]:
    """A function from a value to its height in 0..1, and the labels of the axis as (height, text)."""
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numeric:
        kinds = sorted({format_setting(v) for v in values})
        heights = {kind: (k + 0.5) / len(kinds) for k, kind in enumerate(kinds)}
        return (lambda v: heights[format_setting(v)]), [(heights[kind], _cut(kind)) for kind in kinds]
    shown = (lambda v: math.log10(v)) if is_log else float
    low, high = (min(map(shown, values)), max(map(shown, values))) if values else (0.0, 1.0)
    span = (high - low) or 1.0
    ends = sorted({min(values), max(values)}) if values else []
    return (lambda v: (shown(v) - low) / span), [((shown(v) - low) / span, f"{v:.3g}") for v in ends]


def pareto(facts: StudyFacts) -> Figure:
    """The first two objectives of every trial, and the front."""
    one, two = facts.objectives[:2]
    figure, axes = wide_figure(
        4,
        title="Pareto front",
        subtitle=f"{one.metric} against {two.metric}; no other trial is better in one without being worse in another",
    )
    found = [r.objectives for r in facts.order if r.objectives]
    axes.scatter([v[1] for v in found], [v[0] for v in found], s=22, color=COLOURS["model"], alpha=0.6)
    front = sorted((r.objectives[1], r.objectives[0], r.number) for r in facts.front if r.objectives)
    axes.plot([x for x, *_ in front], [y for _, y, _ in front], color=BEST, marker="o", linewidth=1.6)
    for x, y, number in front:
        place = {"xytext": (7, -10), "textcoords": "offset points"}
        axes.annotate(f"trial {number}", (x, y), **place, size=7.5, color=MUTED)
    axes.set_xlabel(_named(two), size=8.5, color=MUTED)
    axes.set_ylabel(_named(one), size=8.5, color=MUTED)
    tidy(axes, grid="y")
    return figure


def _named(objective: ObjectiveConfig) -> str:
    better = "higher" if objective.direction == "max" else "lower"
    return f"{objective.metric} ({better} is better)"


def schedules(facts: StudyFacts, keys: list[str]) -> Figure:
    """Settings of a population while it trained: each key over the epochs, one line a trial; dots are copies."""
    height = 1.2 + 2.0 * len(keys)
    figure = new_figure(
        9,
        height,
        title="Schedules of the population",
        subtitle="settings over the epochs; a dot: the trial copied another",
    )
    grid = figure.add_gridspec(
        len(keys), 1, left=0.09, right=0.97, bottom=0.5 / height, top=top_of_axes(height), hspace=0.5
    )
    best = facts.order[0].number
    for row, key in enumerate(keys):
        axes = figure.add_subplot(grid[row])
        for record in facts.records:
            results = [r for r in record.results if key in r.point]
            is_best = record.number == best
            colour = BEST if is_best else COLOURS["model"]
            axes.step(
                [r.epoch for r in results],
                [r.point[key] for r in results],
                where="mid",
                color=colour,
                alpha=1 if is_best else 0.4,
                linewidth=2 if is_best else 1,
            )
            copies = [r for r in results if r.copied_from is not None]
            axes.scatter(
                [r.epoch for r in copies], [r.point[key] for r in copies], s=18, color=colour, zorder=3
            )
        if is_log(facts, key):
            axes.set_yscale("log")
        axes.set_title(key, size=8.5, loc="left", color=MUTED)
        count_along_x(axes)
        tidy(axes, grid="y")
    return figure
