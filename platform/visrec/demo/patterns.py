"""Patterns of products: areas of the second colour, as polygons in the unit square of the product."""

from collections.abc import Callable
from typing import Final

import numpy as np

from visrec.demo.canvas import Place, Points, ellipse, polygon

Box = tuple[float, float, float, float]
"""Left, top, right, bottom of the body."""

BEYOND: Final = 0.1


def plain(box: Box) -> list[Points]:
    """No second colour."""
    return []


def stripes(box: Box, *, period: float = 0.155, width: float = 0.068) -> list[Points]:
    """Vertical stripes."""
    left, top, right, bottom = box
    middle = (left + right) / 2
    num = int(np.ceil((right - left) / 2 / period)) + 1
    lines = middle + period * (np.arange(-num, num) + 0.5)
    return [_rect(x - width / 2, top - BEYOND, x + width / 2, bottom + BEYOND) for x in lines]


def dots(box: Box, *, period: float = 0.155, radius: float = 0.046) -> list[Points]:
    """Dots in staggered rows."""
    left, top, right, bottom = box
    circles = []
    for row, y in enumerate(np.arange(top + 0.25 * period, bottom + radius, period * 0.80)):
        for x in np.arange(left - period + (row % 2) * period / 2, right + period, period):
            circles.append(ellipse(x, y, radius, radius)[::3])
    return circles


def checks(box: Box, *, side: float = 0.095) -> list[Points]:
    """A chessboard."""
    left, top, right, bottom = box
    columns = np.arange(left - side / 2, right + side, side)
    rows = np.arange(top - side / 2, bottom + side, side)
    return [
        _rect(x, y, x + side, y + side)
        for row, y in enumerate(rows)
        for column, x in enumerate(columns)
        if (row + column) % 2 == 0
    ]


def zigzag(
    box: Box, *, period: float = 0.2, height: float = 0.075, width: float = 0.07, tooth: float = 0.13
) -> list[Points]:
    """Horizontal zigzag bands."""
    left, top, right, bottom = box
    xs = np.arange(left - BEYOND - tooth, right + BEYOND + tooth, tooth)
    wave = np.where(np.arange(len(xs)) % 2 == 0, 0.0, height)
    bands = []
    for y in np.arange(top - 0.02, bottom + period, period):
        upper = np.stack([xs, y + wave], axis=1)
        bands.append(np.concatenate([upper, upper[::-1] + np.array([0, width])]))
    return bands


def dipped(box: Box) -> list[Points]:
    """The lower half in the second colour."""
    left, top, right, bottom = box
    edge = top + 0.52 * (bottom - top)
    return [_rect(left - BEYOND, edge, right + BEYOND, bottom + BEYOND)]


def _rect(left: float, top: float, right: float, bottom: float) -> Points:
    corners: tuple[Place, ...] = ((left, top), (right, top), (right, bottom), (left, bottom))
    return polygon(*corners)


DRAW: Final[dict[str, Callable[[Box], list[Points]]]] = {
    "plain": plain,
    "stripes": stripes,
    "dots": dots,
    "checks": checks,
    "zigzag": zigzag,
    "dipped": dipped,
}
