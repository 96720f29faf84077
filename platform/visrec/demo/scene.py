"""Photographic variation: pose, light and background, which differ between pictures of one design."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from visrec.demo.canvas import FLOORS, WALLS, Colour, Stencil, mixed, scaled

MIN_CONTRAST: Final = 60.0
"""Least distance in RGB between a product and its wall."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoScene:
    """Pose, light and background of one picture.

    Attributes:
        pose: Affine map from the unit square of the product to that of the picture, float64 [2, 3].
        wall: Colour of the background.
        floor: Colour below the horizon; None without a floor.
        horizon: Height of the edge between the two, from 0 (top) to 1 (bottom).
        light_from: Direction of the light: -1 from the left, 1 from the right.
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


def draw_scene(random: np.random.Generator, *, stands: bool, tilt: float, colour: Colour) -> PhotoScene:
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
    return PhotoScene(
        pose=np.column_stack([linear, centre - linear @ [0.5, 0.53]]),
        wall=walls[random.integers(len(walls))],
        floor=FLOORS[random.integers(len(FLOORS))] if stands else None,
        horizon=random.uniform(0.68, 0.78),
        light_from=float(np.sign(random.uniform(-1, 1))),
        brightness=random.uniform(0.93, 1.05),
        warmth=random.uniform(-1, 1),
    )


def backdrop(scene: PhotoScene, size: int) -> Image.Image:
    """The background without the product."""
    image = Image.new("RGB", (size, size), scene.wall)
    if scene.floor is not None:
        floor = mixed(scene.floor, scene.wall, 0.35)
        horizon = round(scene.horizon * size)
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, horizon, size, size), fill=floor)
        pen.rectangle((0, horizon, size, horizon + size // 90), fill=scaled(floor, 0.92))
    return image


def apply_light(image: Image.Image, scene: PhotoScene) -> Image.Image:
    """Light the picture: brighter on the side of the light, darker in the corners, warm or cool."""
    pixels = np.asarray(image, np.float32)
    size = image.width
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    fall = 1 + 0.07 * scene.light_from * x - 0.05 * y - 0.05 * (x * x + y * y)
    tint = scene.brightness * np.array([1 + 0.03 * scene.warmth, 1.0, 1 - 0.045 * scene.warmth])
    return Image.fromarray(np.clip(pixels * fall[..., None] * tint, 0, 255).astype(np.uint8))


def shade(stencil: Stencil, light_from: float) -> Stencil:
    """Shaded area of a round body: away from the light, and a little at the edge towards it."""
    x = _across(light_from)
    far = 0.45 * (np.clip(0.3 - x, 0, None) / 1.3) ** 1.5
    return stencil.shaded(far + 0.45 * np.clip(x - 0.8, 0, None))


def shine(stencil: Stencil, light_from: float) -> Stencil:
    """Highlight of a round body: a streak towards the light."""
    return stencil.shaded(0.55 * np.exp(-(((_across(light_from) - 0.45) / 0.15) ** 2)))


def fold(stencil: Stencil, light_from: float) -> Stencil:
    """Thin even shade on the half away from the light, as in flat design."""
    return stencil.shaded(0.11 * (_across(light_from) < 0))


def _across(light_from: float) -> NDArray[np.float64]:
    return np.linspace(-1, 1, 48) * light_from  # 1 is the side of the light
