"""Every trial over its epochs."""

from matplotlib.figure import Figure

from visrec.evaluation.report.plots.style import MUTED, tidy
from visrec.tune.report.facts import StudyFacts
from visrec.tune.report.plots.look import BEST, STATUS_COLOURS, count_along_x, wide_figure


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
