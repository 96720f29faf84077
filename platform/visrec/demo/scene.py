"""Pose, light and background of one picture: what differs between two pictures of the same design."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.demo.palette import FLOORS, WALLS, Colour

MIN_CONTRAST: Final = 60.0
"""Least distance in RGB between a product and its wall."""


@dataclass(frozen=True)
class Scene:
    """How one product is photographed.

    Attributes:
        pose: From the unit square of the product to that of the picture: float64 [2, 3], rotation, scale, shift.
        wall: Colour behind.
        floor: Colour below the horizon; None where there is only a wall.
        horizon: Height of the edge between the two, from 0 (top) to 1.
        light_from: -1 light from the left, 1 from the right.
        brightness: Factor on the whole picture.
        warmth: Above 0 yellowish, below 0 bluish light.
    """

    pose: NDArray[np.float64]
    wall: Colour
    floor: Colour | None
    horizon: float
    light_from: float
    brightness: float
    warmth: float


def draw_scene(random: np.random.Generator, *, stands: bool, tilt: float, colour: Colour) -> Scene:
    """A random scene for a product of this colour."""
    turn = random.normal(0, 2.5) if stands else random.normal(0, 8.0) + tilt
    scale = random.uniform(0.78, 0.94)
    angle = np.deg2rad(np.clip(turn, tilt - 20, tilt + 20))
    flip = -1.0 if random.random() < 0.5 else 1.0
    stretch = random.uniform(0.94, 1.06)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * rotation @ np.diag([flip * stretch, 1 / stretch])
    centre = np.array([0.5 + random.uniform(-0.05, 0.05), 0.5 + random.uniform(-0.03, 0.03)])
    far = [wall for wall in WALLS if np.linalg.norm(np.subtract(wall, colour)) > MIN_CONTRAST]
    walls = far or list(WALLS)
    return Scene(
        pose=np.column_stack([linear, centre - linear @ [0.5, 0.53]]),
        wall=walls[random.integers(len(walls))],
        floor=FLOORS[random.integers(len(FLOORS))] if stands else None,
        horizon=random.uniform(0.68, 0.78),
        light_from=float(np.sign(random.uniform(-1, 1))),
        brightness=random.uniform(0.93, 1.05),
        warmth=random.uniform(-1, 1),
    )
