"""A small mask and its place on the canvas: parts are painted within their own box, not over the whole canvas."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from visrec.demo.palette import Colour

Pixels = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Stencil:
    """Where paint goes.

    Attributes:
        mask: How much, 0 to 255.
        left: Of the mask, on the canvas.
        top: Of the mask, on the canvas.
    """

    mask: Image.Image
    left: int
    top: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom on the canvas."""
        return self.left, self.top, self.left + self.mask.width, self.top + self.mask.height

    def paint(self, canvas: Image.Image, paint: Colour | Image.Image) -> None:
        """Lay a colour, or a picture of the canvas' size, on the canvas."""
        canvas.paste(paint.crop(self.box) if isinstance(paint, Image.Image) else paint, self.box, self.mask)

    def shaded(self, profile: NDArray[np.floating]) -> "Stencil":
        """The same area with a strength that changes from left to right, from 0 to 1 over its width."""
        row = Image.fromarray((255 * profile)[None].astype(np.uint8))
        strength = row.resize(self.mask.size, Image.Resampling.BILINEAR)
        return Stencil(ImageChops.multiply(self.mask, strength), self.left, self.top)


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


def _blank(points: Pixels, margin: int, size: int) -> tuple[Stencil, list[tuple[float, float]]]:
    xs, ys = zip(*points, strict=True)
    left, top = max(int(min(xs)) - margin, 0), max(int(min(ys)) - margin, 0)
    right, bottom = min(int(max(xs)) + margin + 2, size), min(int(max(ys)) + margin + 2, size)
    mask = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    return Stencil(mask, left, top), [(x - left, y - top) for x, y in points]
