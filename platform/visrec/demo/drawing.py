"""Picture of an item: outline, pattern and style of its design in a scene, drawn larger and scaled down."""

from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from visrec.demo import patterns
from visrec.demo.canvas import (
    CREAM,
    MATERIALS,
    SECOND,
    TRIM,
    Colour,
    Layer,
    Outline,
    Points,
    Stencil,
    area,
    dyed,
    line,
    scaled,
)
from visrec.demo.catalogue import Design
from visrec.demo.outlines import OUTLINES
from visrec.demo.scene import PhotoScene, apply_light, backdrop, draw_scene, fold, shade, shine

OVERSAMPLING: Final = 3
"""Pictures are drawn this number of times larger, against jagged edges."""
INK: Final[Colour] = (44, 38, 46)
SHADE: Final[Colour] = (24, 14, 34)
SHINE: Final[Colour] = (255, 252, 240)


def draw_item(design: Design, random: np.random.Generator, size: int) -> Image.Image:
    """Draw one product.

    Args:
        design: Its design.
        random: Random stream for proportions, dye, pose, light and background.
        size: Height and width in pixels.

    Example:
        >>> design = Design(shape="mug", colour="teal", pattern="dots", style="classic")
        >>> draw_item(design, np.random.default_rng(0), 64).size
        (64, 64)
    """
    outline = OUTLINES[design.shape](random)
    colour = dyed(design.colour, design.style, random)
    scene = draw_scene(random, stands=outline.stands, tilt=outline.tilt, colour=colour)
    painted = _ItemPainter(design, colour, outline, scene, size * OVERSAMPLING).paint()
    return apply_light(painted.reduce(OVERSAMPLING), scene)


class _ItemPainter:
    """Paints one product on a large canvas."""

    def __init__(
        self, design: Design, colour: Colour, outline: Outline, scene: PhotoScene, size: int
    ) -> None:
        self._design = design
        self._colour = colour
        self._outline = outline
        self._scene = scene
        self._size = size
        self._canvas = backdrop(scene, size)
        self._pattern = self._draw_pattern()

    def paint(self) -> Image.Image:
        """The finished canvas."""
        stencils = [self._stencil(layer) for layer in self._outline.layers]
        self._cast_shadow(stencils)
        for layer, stencil in zip(self._outline.layers, stencils, strict=True):
            self._paint_layer(layer, stencil)
        return self._canvas

    def _paint_layer(self, layer: Layer, stencil: Stencil) -> None:
        style = self._design.style
        if style == "comic" and layer.edge and layer.stroke is not None:
            outer = self._width(layer.stroke) + 2 * self._width(0.022)
            line(self._placed(layer.points), outer, self._size).paint(self._canvas, INK)
        stencil.paint(self._canvas, self._paint_of(layer))
        if style == "comic" and layer.edge and layer.stroke is None:
            self._ink(layer)
        elif style == "classic" and layer.edge:
            shade(stencil, self._scene.light_from).paint(self._canvas, SHADE)
            shine(stencil, self._scene.light_from).paint(self._canvas, SHINE)
        elif style == "modern" and layer.role in ("body", "plain") and layer.stroke is None:
            fold(stencil, self._scene.light_from).paint(self._canvas, SHADE)

    def _paint_of(self, layer: Layer) -> Colour | Image.Image:
        if layer.role == "body":
            return self._pattern if layer.tone == 1 else _toned(self._pattern, layer.tone)
        if layer.role == "plain":
            return scaled(self._colour, layer.tone)
        if layer.role == "trim":
            return scaled(TRIM[self._design.style], layer.tone)
        return scaled(MATERIALS[layer.role], layer.tone)

    def _stencil(self, layer: Layer) -> Stencil:
        points = self._placed(layer.points)
        if layer.stroke is None:
            return area(points, self._size, opacity=layer.alpha)
        return line(points, self._width(layer.stroke), self._size, opacity=layer.alpha)

    def _ink(self, layer: Layer) -> None:
        points = self._placed(layer.points)
        closed = [*points, points[0], points[1]]
        ImageDraw.Draw(self._canvas).line(closed, fill=INK, width=self._width(0.022), joint="curve")

    def _cast_shadow(self, stencils: list[Stencil]) -> None:
        """Paint a soft shadow: on the floor around a standing product, on the wall behind a hanging one."""
        whole = Image.new("L", (self._size, self._size))
        for layer, stencil in zip(self._outline.layers, stencils, strict=True):
            if layer.alpha == 1:
                whole.paste(255, stencil.box, stencil.mask)
        small = whole.reduce(4)
        size = small.width
        shift = round(-0.04 * self._scene.light_from * size)
        if self._outline.stands:
            left, _, right, bottom = small.getbbox() or (0, 0, 1, 1)
            height = 0.035 * size
            cast = Image.new("L", small.size)
            box = (left + shift, bottom - 1.4 * height, right + shift, bottom + 0.6 * height)
            ImageDraw.Draw(cast).ellipse(box, fill=125)
        else:
            cast = ImageChops.offset(small, shift, round(0.035 * size)).point(lambda value: value * 0.4)
        soft = cast.filter(ImageFilter.GaussianBlur(0.016 * size))
        self._canvas.paste((40, 30, 40), mask=soft.resize(whole.size, Image.Resampling.BILINEAR))

    def _draw_pattern(self) -> Image.Image:
        image = Image.new("RGB", (self._size, self._size), self._colour)
        bodies = np.concatenate([layer.points for layer in self._outline.layers if layer.role == "body"])
        (left, top), (right, bottom) = bodies.min(axis=0), bodies.max(axis=0)
        pen, second = ImageDraw.Draw(image), SECOND.get(self._design.colour, CREAM)
        for patch in patterns.DRAW[self._design.pattern]((left, top, right, bottom)):
            pen.polygon(self._placed(patch), fill=second)
        return image

    def _placed(self, points: Points) -> list[tuple[float, float]]:
        pose = self._scene.pose
        placed = (points @ pose[:, :2].T + pose[:, 2]) * self._size
        return [(x, y) for x, y in placed.tolist()]

    def _width(self, stroke: float) -> int:
        scale: float = abs(float(np.linalg.det(self._scene.pose[:, :2]))) ** 0.5
        return max(round(stroke * scale * self._size), 1)


def _toned(image: Image.Image, tone: float) -> Image.Image:
    if tone < 1:
        return image.point(lambda value: value * tone)
    return image.point(lambda value: value + (255 - value) * (tone - 1))
