"""Every trial's value, and the best until then."""

from matplotlib.figure import Figure

from visrec.evaluation.report.plots.style import MUTED, tidy
from visrec.tune.report.facts import StudyFacts, best_so_far
from visrec.tune.report.plots.look import BEST, STATUS_COLOURS, count_along_x, wide_figure


def history(facts: StudyFacts) -> Figure:
    """The first objective of every trial, and the best until then."""
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
    axes.step(
        [n for n, _, _ in rows], [b for *_, b in rows], where="post", color=BEST, label="best until then"
    )
    count_along_x(axes)
    axes.set_xlabel("trial", size=8.5, color=MUTED)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes, grid="y")
    return figure
