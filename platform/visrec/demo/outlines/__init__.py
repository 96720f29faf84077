"""The products as parts in the unit square, drawn from back to front."""

from collections.abc import Callable
from typing import Final

import numpy as np

from visrec.demo.outlines.carried import bag, guitar, shirt, sneaker, umbrella
from visrec.demo.outlines.household import chair, clock, lamp, mug, plant, teapot, vase
from visrec.demo.outlines.parts import Outline, Part

OUTLINES: Final[dict[str, Callable[[np.random.Generator], Outline]]] = {
    "lamp": lamp,
    "vase": vase,
    "chair": chair,
    "shirt": shirt,
    "bag": bag,
    "mug": mug,
    "teapot": teapot,
    "clock": clock,
    "plant": plant,
    "umbrella": umbrella,
    "sneaker": sneaker,
    "guitar": guitar,
}
"""How to draw each shape; the random numbers vary its proportions a little."""

__all__ = ["OUTLINES", "Outline", "Part"]
