"""What the pictures of a study share."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from visrec.evaluation.report.plots.style import COLOURS, new_figure, top_of_axes
from visrec.tune.report.facts import StudyFacts

STATUS_COLOURS = {"finished": COLOURS["model"], "stopped": COLOURS["recent_popularity"], "failed": "#D55E00"}
BEST = COLOURS["item_knn"]


def wide_figure(height: float, *, title: str, subtitle: str) -> tuple[Figure, Any]:
    """A figure of 9 inches by `height` with one pair of axes."""
    figure = new_figure(9, height, title=title, subtitle=subtitle)
    axes = figure.add_axes((0.08, 0.5 / height, 0.89, top_of_axes(height) - 0.5 / height))
    return figure, axes


def count_along_x(axes: Any) -> None:
    """Whole numbers at the horizontal axis."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def is_log(facts: StudyFacts, key: str) -> bool:
    """Whether a key is drawn on a logarithmic scale."""
    return facts.job.tune.space[key].loguniform is not None
