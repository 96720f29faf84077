"""Outlines of the twelve products, in layers in the unit square."""

from collections.abc import Callable
from typing import Final

import numpy as np

from visrec.demo.canvas import Outline
from visrec.demo.outlines.fashion import bag, guitar, shirt, sneaker, umbrella
from visrec.demo.outlines.household import chair, clock, lamp, mug, plant, teapot, vase

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
"""Outline of each shape; the random generator varies its proportions a little."""

__all__ = ["OUTLINES"]
