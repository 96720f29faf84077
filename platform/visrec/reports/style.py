"""Common style of all plots: colours that colour-blind people can tell apart (Okabe and Ito 2008), light lines."""

import io
from collections.abc import Mapping
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
    """A figure of some inches with its title at the top left; place axes below `top_of_axes`."""
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


def spread_labels(
    axes: Any, ends: Mapping[str, float], colours: Mapping[str, str], *, size: float = 8
) -> None:
    """Write each name to the right of the axes, as near to its line's end as the others allow.

    Args:
        axes: matplotlib axes whose limits are final.
        ends: Name -> height of the line's end, in data units.
        colours: Name -> colour.
        size: Of the text, in points.
    """
    low, high = axes.get_ylim()
    room = axes.get_window_extent().height / axes.figure.dpi * 72  # points
    step = (high - low) * size * 1.25 / room
    for name, place in spread(ends, step, low, high).items():
        axes.annotate(
            name,
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            size=size,
            va="center",
            color=colours[name],
            weight="bold" if name == next(iter(ends)) else "normal",
            annotation_clip=False,
        )


def spread(ends: Mapping[str, float], step: float, low: float, high: float) -> dict[str, float]:
    """Heights at least `step` apart, in the order of the ends and near to them, from `low` up.

    Example:
        >>> spread({"a": 1.0, "b": 1.1}, step=0.5, low=0.0, high=9.0)
        {'a': 1.0, 'b': 1.5}
    """
    placed: dict[str, float] = {}
    floor = low
    for name, height in sorted(ends.items(), key=lambda item: item[1]):
        placed[name] = max(height, floor)
        floor = placed[name] + step
    ceiling = high
    for name in reversed(placed):
        placed[name] = min(placed[name], ceiling)
        ceiling = placed[name] - step
    return placed
