"""Guitar."""

import numpy as np

from visrec.demo.geometry import ellipse, polygon, rounded, turned
from visrec.demo.outlines.parts import Outline, Part


def guitar(random: np.random.Generator) -> Outline:
    """An acoustic guitar, hung aslant."""
    shoulder, waist, hip = random.uniform(0.20, 0.23), random.uniform(0.15, 0.17), random.uniform(0.28, 0.32)
    upper = [(0.0, 0.40), (0.6 * shoulder, 0.405), (0.92 * shoulder, 0.44), (shoulder, 0.49), (waist, 0.60)]
    lower = [(0.85 * hip, 0.69), (hip, 0.78), (0.85 * hip, 0.88), (0.5 * hip, 0.935), (0.0, 0.945)]
    pegs = [ellipse(0.5 + side * 0.062, y, 0.017, 0.014) for side in (-1, 1) for y in (0.075, 0.11, 0.145)]
    strings = [polygon((x, 0.1), (x, 0.79)) for x in (0.488, 0.5, 0.512)]
    return Outline(
        (
            *(Part(peg, "trim", edge=False) for peg in pegs),
            Part(turned([*upper, *lower]), "body"),
            Part(ellipse(0.5, 0.585, 0.085, 0.085), "trim", edge=False),
            Part(ellipse(0.5, 0.585, 0.068, 0.068), "dark"),
            Part(rounded(0.47, 0.17, 0.53, 0.52, 0.01), "wood", tone=0.62),
            Part(polygon((0.455, 0.04), (0.545, 0.04), (0.535, 0.18), (0.465, 0.18)), "wood", tone=0.8),
            Part(rounded(0.41, 0.775, 0.59, 0.81, 0.012), "wood", tone=0.5),
            *(Part(string, "paper", stroke=0.005, alpha=0.8, edge=False) for string in strings),
        ),
        stands=False,
        tilt=float(np.sign(random.uniform(-1, 1))) * random.uniform(14, 28),
    )
