"""One look for all plots: colours that colour-blind people can tell apart (Okabe & Ito 2008), light lines."""

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = {
    "model": "#0072B2",
    "ranked": "#D55E00",
    "popularity": "#999999",
    "recent_popularity": "#E69F00",
    "item_knn": "#009E73",
    "ease": "#CC79A7",
    "oracle": "#5B5B5B",
}
"""Colour of each scorer."""

TEXT, MUTED, GRID = "#222222", "#666666", "#E6E6E6"
DPI = 160


def new_figure(width: float, height: float, *, title: str, subtitle: str = "") -> Figure:
    """A figure of some inches with its title at the top left; axes are to be placed below `top_of_axes`."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(
        0.012, 1 - 0.12 / height, title, size=12, weight="bold", color=TEXT, va="top", ha="left", wrap=False
    )
    if subtitle:
        figure.text(0.012, 1 - 0.38 / height, subtitle, size=8.5, color=MUTED, va="top", ha="left")
    return figure


def top_of_axes(height: float) -> float:
    """Upper end of the axes, as a share of the figure, so that title, subtitle and the axes' own titles fit."""
    return 1 - 0.95 / height


def tidy(axes: Any, *, grid: str) -> None:
    """Frame only at left and bottom, and light lines along one direction (`x` or `y`)."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#BBBBBB")
    axes.tick_params(labelsize=8, colors=TEXT, length=0, pad=4)
    axes.grid(axis=grid, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file, without a date inside, so that equal figures are equal files."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
