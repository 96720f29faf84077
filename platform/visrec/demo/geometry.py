"""Points of curves in the unit square, x to the right and y down. Every function returns float64 [N, 2]."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Place = tuple[float, float]


def polygon(*corners: Place) -> Points:
    """Straight edges."""
    return np.array(corners, np.float64)


def ellipse(x: float, y: float, rx: float, ry: float, *, begin: float = 0, end: float = 360) -> Points:
    """An ellipse, or a part of one by degrees, clockwise from the right."""
    turn = np.deg2rad(np.linspace(begin, end, 48))
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], axis=1)


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> Points:
    """A rectangle with round corners."""
    corners = [
        (right - radius, top + radius, 270),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
    ]
    arcs = [ellipse(x, y, radius, radius, begin=begin, end=begin + 90)[::6] for x, y, begin in corners]
    return np.concatenate(arcs)


def curve(places: Sequence[Place] | Points, *, closed: bool = False, steps: int = 10) -> Points:
    """A smooth curve through some places (Catmull-Rom spline).

    Example:
        >>> curve([(0, 0), (1, 0), (2, 0)], steps=2).tolist()
        [[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [1.5, 0.0], [2.0, 0.0]]
    """
    p = np.array(places, np.float64)
    padded = (
        np.concatenate([p[-1:], p, p[:2]])
        if closed
        else np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    )
    t = np.arange(steps)[:, None] / steps
    stretches = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        stretches.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    if not closed:
        stretches.append(p[-1:])
    return np.concatenate(stretches)


def turned(places: Sequence[Place], *, smooth: bool = True, axis: float = 0.5) -> Points:
    """A closed outline, symmetric about a vertical axis, from its right side: what a potter's wheel makes.

    Args:
        places: (distance from the axis, y) from top to bottom.
        smooth: Join the places by a curve.
        axis: x of the axis.
    """
    side = curve(places) if smooth else np.array(places, np.float64)
    right = side + np.array([axis, 0])
    left = side[::-1] * np.array([-1, 1]) + np.array([axis, 0])
    return np.concatenate([right, left])


def rotated(points: Points, degrees: float, centre: Place) -> Points:
    """Turned clockwise around a centre."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turned_points: Points = (points - np.array(centre)) @ np.array([[cos, sin], [-sin, cos]]) + np.array(
        centre
    )
    return turned_points
