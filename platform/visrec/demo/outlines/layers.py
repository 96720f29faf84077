"""Outline of a product: layers that are painted one over the other."""

from dataclasses import dataclass

from visrec.demo.canvas import Points


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
