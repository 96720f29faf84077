"""Settings that changed while training."""

from matplotlib.figure import Figure

from visrec.evaluation.report.plots.style import COLOURS, MUTED, new_figure, tidy, top_of_axes
from visrec.tune.report.facts import StudyFacts
from visrec.tune.report.plots.look import BEST, count_along_x, is_log


def schedules(facts: StudyFacts, keys: list[str]) -> Figure:
    """What a population changed while it trained: each key over the epochs, one line a trial; dots are copies."""
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
