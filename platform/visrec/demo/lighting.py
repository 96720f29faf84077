"""Walls, floors and light."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from visrec.demo.palette import mixed, scaled
from visrec.demo.scene import Scene
from visrec.demo.stencil import Stencil


def backdrop(scene: Scene, size: int) -> Image.Image:
    """The empty scene."""
    image = Image.new("RGB", (size, size), scene.wall)
    if scene.floor is not None:
        floor = mixed(scene.floor, scene.wall, 0.35)
        horizon = round(scene.horizon * size)
        pen = ImageDraw.Draw(image)
        pen.rectangle((0, horizon, size, size), fill=floor)
        pen.rectangle((0, horizon, size, horizon + size // 90), fill=scaled(floor, 0.92))
    return image


def lit(image: Image.Image, scene: Scene) -> Image.Image:
    """The picture in the scene's light: brighter on the side it comes from, darker in the corners, warm or cool."""
    pixels = np.asarray(image, np.float32)
    size = image.width
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    fall = 1 + 0.07 * scene.light_from * x - 0.05 * y - 0.05 * (x * x + y * y)
    tint = scene.brightness * np.array([1 + 0.03 * scene.warmth, 1.0, 1 - 0.045 * scene.warmth])
    return Image.fromarray(np.clip(pixels * fall[..., None] * tint, 0, 255).astype(np.uint8))


def shade(stencil: Stencil, light_from: float) -> Stencil:
    """Where a round thing is dark: away from the light, and a little at its very edge towards it."""
    x = _across(light_from)
    far = 0.45 * (np.clip(0.3 - x, 0, None) / 1.3) ** 1.5
    return stencil.shaded(far + 0.45 * np.clip(x - 0.8, 0, None))


def shine(stencil: Stencil, light_from: float) -> Stencil:
    """Where a round thing is bright: a streak near the light."""
    return stencil.shaded(0.55 * np.exp(-(((_across(light_from) - 0.45) / 0.15) ** 2)))


def fold(stencil: Stencil, light_from: float) -> Stencil:
    """The half that is turned from the light, in thin even shade: flat design."""
    return stencil.shaded(0.11 * (_across(light_from) < 0))


def _across(light_from: float) -> NDArray[np.float64]:
    return np.linspace(-1, 1, 48) * light_from  # 1 is the side of the light
