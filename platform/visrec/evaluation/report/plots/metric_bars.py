"""Main metrics of all scorers with their intervals."""

from matplotlib.figure import Figure

from visrec.evaluation.report.context import TITLES, ReportContext
from visrec.evaluation.report.markdown import metric_title
from visrec.evaluation.report.plots.style import COLOURS, MUTED, TEXT, new_figure, tidy, top_of_axes
from visrec.evaluation.summary import Summary


def metric_bars(summary: Summary, context: ReportContext) -> Figure:
    """A row of bars a metric; the line at the end of a bar is the bootstrap interval."""
    k = context.plan.config.list_size
    names = (f"ndcg@{k}", f"recall@{k}", "mrr")
    scorers = list(summary.metrics)
    height = 1.5 + 0.36 * len(scorers)
    figure = new_figure(
        9.6,
        height,
        title="How well held-out items are ranked",
        subtitle=f"{summary.num_users:,} users, {context.num_ranked:,} items; lines are "
        f"{context.plan.config.confidence:.0%} bootstrap intervals over users",
    )
    panels = figure.subplots(1, len(names), sharey=True)
    figure.subplots_adjust(0.135, 0.34 / height, 0.985, top_of_axes(height), wspace=0.1)
    for axes, name in zip(panels, names, strict=True):
        highest = max(summary.metrics[scorer][name].high for scorer in scorers)
        for place, scorer in enumerate(reversed(scorers)):
            value = summary.metrics[scorer][name]
            axes.barh(place, value.mean, height=0.62, color=COLOURS[scorer])
            axes.plot(
                [value.low, value.high], [place, place], color=TEXT, linewidth=1.1, solid_capstyle="butt"
            )
            axes.text(
                value.high + 0.02 * highest, place, f"{value.mean:.3f}", size=8, va="center", color=TEXT
            )
        axes.set_title(metric_title(name), size=9.5, loc="left", color=TEXT)
        axes.set_xlim(0, max(highest * 1.2, 1e-6))
        axes.set_yticks(range(len(scorers)), [TITLES[s] for s in reversed(scorers)])
        axes.locator_params(axis="x", nbins=4)
        tidy(axes, grid="x")
        axes.tick_params(axis="x", labelcolor=MUTED)
    return figure
