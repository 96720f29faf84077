"""The colours of products, materials and walls: RGB from 0 to 255."""

import colorsys
from typing import Final

import numpy as np

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
"""The other colour of a pattern, where it is not cream."""
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
"""Material of the small parts, by style."""


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
    """Between two colours: `share` of the other."""
    r, g, b = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return r, g, b


def dyed(name: str, style: str, random: np.random.Generator) -> Colour:
    """The colour of one item: no two dye lots are the same, and each style has its way with colours."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in PRODUCT[name]))
    hue += random.uniform(-0.012, 0.012)
    saturation *= random.uniform(0.92, 1.06) * {"modern": 0.92, "comic": 1.08, "classic": 1.0}[style]
    value *= random.uniform(0.95, 1.04) * {"modern": 1.0, "comic": 1.04, "classic": 0.97}[style]
    r, g, b = (round(255 * c) for c in colorsys.hsv_to_rgb(hue % 1, min(saturation, 1), min(value, 1)))
    return r, g, b
