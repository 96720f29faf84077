"""Names at the ends of lines, moved apart where they would overlap."""

from collections.abc import Mapping
from typing import Any


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
