"""One picture from a design and a scene."""

import numpy as np
from PIL import Image, ImageDraw

from visrec.demo.designs import COLOURS, Design


def draw_item(design: Design, random: np.random.Generator, size: int) -> Image.Image:
    """Draw one product."""
    image = Image.new("RGB", (size, size), (240, 235, 228))
    pen = ImageDraw.Draw(image)
    hue = COLOURS.index(design.colour) * 25
    edge = size // 5 + int(random.integers(0, size // 10))
    pen.ellipse((edge, edge, size - edge, size - edge), fill=(hue, 255 - hue, 120))
    return image
