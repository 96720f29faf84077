"""What a product is made of."""

from dataclasses import dataclass

from visrec.demo.canvas import Points


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One area or stroke.

    Attributes:
        points: In the unit square, y down.
        role: `body` has the product's colour and pattern, `plain` its colour only, `trim` the small parts' material of
            the style; any other is a material by name.
        tone: Darker below 1, lighter above.
        stroke: Width of a line along the points; None fills the area.
        alpha: 1 is opaque.
        edge: Whether the comic style draws its outline.
    """

    points: Points
    role: str
    tone: float = 1.0
    stroke: float | None = None
    alpha: float = 1.0
    edge: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """A product.

    Attributes:
        parts: From back to front.
        stands: On a floor; else it hangs on a wall or lies.
        tilt: Degrees by which it is turned in any case.
    """

    parts: tuple[Part, ...]
    stands: bool
    tilt: float = 0.0
