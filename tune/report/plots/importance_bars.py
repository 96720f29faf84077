"""What each key explains."""

from matplotlib.figure import Figure

from visrec.evaluation.report.plots.style import COLOURS, new_figure, tidy, top_of_axes
from visrec.tune.report.facts import StudyFacts


def importance_bars(facts: StudyFacts) -> Figure:
    """Share of the variance that each key explains."""
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
