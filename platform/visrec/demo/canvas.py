"""Drawing primitives: curves in the unit square, colours, layers of an outline, and stencils to paint through.

Curves are float64 [N, 2] in the unit square, x to the right and y down.
"""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

Points = NDArray[np.float64]
Place = tuple[float, float]
Pixels = Sequence[Place]


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
    """A closed outline that is symmetric about a vertical axis, from its right side.

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
    """Points rotated clockwise around a centre."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turned_points: Points = (points - np.array(centre)) @ np.array([[cos, sin], [-sin, cos]]) + np.array(
        centre
    )
    return turned_points


Colour = tuple[int, int, int]

PRODUCT: Final[dict[str, Colour]] = {
    "red": (206, 52, 52),
    "orange": (238, 128, 44),
    "yellow": (246, 202, 62),
    "green": (82, 152, 76),
    "teal": (30, 150, 152),
    "blue": (54, 98, 196),
    "purple": (124, 78, 172),
    "pink": (240, 138, 168),
    "white": (250, 248, 243),
    "black": (50, 50, 57),
}
CREAM: Final[Colour] = (252, 244, 226)
SECOND: Final[dict[str, Colour]] = {"white": (166, 164, 166), "black": (134, 134, 140)}
"""Second colour of a pattern by the product's colour, where it is not cream."""
WALLS: Final[tuple[Colour, ...]] = (
    (236, 226, 211), (232, 212, 202), (214, 226, 216), (208, 222, 232), (222, 214, 230), (226, 226, 228),
    (240, 222, 196), (200, 212, 206), (228, 218, 218), (206, 206, 216), (238, 232, 222), (190, 204, 214),
    (172, 194, 188), (218, 184, 166), (186, 184, 206),
)  # fmt: skip
FLOORS: Final[tuple[Colour, ...]] = (
    (214, 190, 160), (198, 172, 146), (226, 214, 198), (186, 178, 172), (206, 206, 206), (222, 202, 182),
)  # fmt: skip
MATERIALS: Final[dict[str, Colour]] = {
    "wood": (172, 120, 78),
    "dark": (58, 54, 60),
    "steel": (188, 192, 200),
    "gold": (214, 168, 76),
    "cream": CREAM,
    "paper": (250, 249, 246),
    "leaf": (84, 142, 88),
    "leaf_dark": (58, 112, 72),
    "leaf_light": (126, 176, 108),
    "petal": (246, 214, 196),
    "steam": (255, 255, 255),
}
TRIM: Final[dict[str, Colour]] = {
    "modern": (244, 240, 234),
    "comic": (70, 64, 72),
    "classic": MATERIALS["gold"],
}
"""Colour of trimmings such as handles, by style."""


def scaled(colour: Colour, tone: float) -> Colour:
    """Darker (tone below 1) or, towards white, lighter (above 1).

    Example:
        >>> scaled((100, 200, 0), 0.5)
        (50, 100, 0)
    """
    if tone <= 1:
        r, g, b = (int(c * tone) for c in colour)
    else:
        r, g, b = (int(c + (255 - c) * (tone - 1)) for c in colour)
    return r, g, b


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A mixture of two colours, with `share` of the other."""
    r, g, b = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return r, g, b


def dyed(name: str, style: str, random: np.random.Generator) -> Colour:
    """The colour of one item: the named colour, shifted a little at random and by style."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in PRODUCT[name]))
    hue += random.uniform(-0.012, 0.012)
    saturation *= random.uniform(0.92, 1.06) * {"modern": 0.92, "comic": 1.08, "classic": 1.0}[style]
    value *= random.uniform(0.95, 1.04) * {"modern": 1.0, "comic": 1.04, "classic": 0.97}[style]
    r, g, b = (round(255 * c) for c in colorsys.hsv_to_rgb(hue % 1, min(saturation, 1), min(value, 1)))
    return r, g, b


@dataclass(frozen=True, kw_only=True, slots=True)
class Stencil:
    """A mask through which paint is applied to a canvas.

    Attributes:
        mask: Opacity of the paint, 0 to 255.
        left: Left edge of the mask on the canvas, in pixels.
        top: Upper edge of the mask on the canvas, in pixels.
    """

    mask: Image.Image
    left: int
    top: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom on the canvas."""
        return self.left, self.top, self.left + self.mask.width, self.top + self.mask.height

    def paint(self, canvas: Image.Image, paint: Colour | Image.Image) -> None:
        """Apply a colour, or a picture of the canvas' size, to the canvas."""
        canvas.paste(paint.crop(self.box) if isinstance(paint, Image.Image) else paint, self.box, self.mask)

    def shaded(self, profile: NDArray[np.floating]) -> "Stencil":
        """The same area with its opacity multiplied by a profile (values from 0 to 1) from left to right."""
        row = Image.fromarray((255 * profile)[None].astype(np.uint8))
        strength = row.resize(self.mask.size, Image.Resampling.BILINEAR)
        return Stencil(mask=ImageChops.multiply(self.mask, strength), left=self.left, top=self.top)


def area(points: Pixels, size: int, *, opacity: float = 1.0) -> Stencil:
    """The inside of a polygon on a canvas of `size` x `size`."""
    stencil, shifted = _blank(points, 1, size)
    ImageDraw.Draw(stencil.mask).polygon(shifted, fill=round(255 * opacity))
    return stencil


def line(points: Pixels, width: int, size: int, *, opacity: float = 1.0) -> Stencil:
    """A line with round joints and ends on a canvas of `size` x `size`."""
    stencil, shifted = _blank(points, width, size)
    pen, fill = ImageDraw.Draw(stencil.mask), round(255 * opacity)
    pen.line(shifted, fill=fill, width=width, joint="curve")
    for x, y in (shifted[0], shifted[-1]):
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)
    return stencil


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One filled area or stroke of an outline.

    Attributes:
        points: Corners in the unit square, y down, float64 [N, 2].
        role: Paint: `body` is the product's colour and pattern, `plain` its colour, `trim` the trimming colour of the
            style; other values name a material.
        tone: Brightness factor, darker below 1 and lighter above.
        stroke: Width of a line along the points; None fills the area.
        alpha: Opacity, 1 is opaque.
        edge: Whether the comic style draws a contour around it.
    """

    points: Points
    role: str
    tone: float = 1.0
    stroke: float | None = None
    alpha: float = 1.0
    edge: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """Shape of a product.

    Attributes:
        layers: From back to front.
        stands: Whether it stands on a floor; else it hangs on a wall or lies.
        tilt: Mean rotation in degrees.
    """

    layers: tuple[Layer, ...]
    stands: bool
    tilt: float = 0.0


def _blank(points: Pixels, margin: int, size: int) -> tuple[Stencil, list[tuple[float, float]]]:
    xs, ys = zip(*points, strict=True)
    left, top = max(int(min(xs)) - margin, 0), max(int(min(ys)) - margin, 0)
    right, bottom = min(int(max(xs)) + margin + 2, size), min(int(max(ys)) + margin + 2, size)
    mask = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    return Stencil(mask=mask, left=left, top=top), [(x - left, y - top) for x, y in points]
