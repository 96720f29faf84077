"""Two objectives against each other."""

from matplotlib.figure import Figure

from visrec.config import ObjectiveConfig
from visrec.evaluation.report.plots.style import COLOURS, MUTED, tidy
from visrec.tune.report.facts import StudyFacts
from visrec.tune.report.plots.look import BEST, wide_figure


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
