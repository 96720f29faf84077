"""A contact sheet: many pictures of the shop in one."""

from typing import Final

from PIL import Image

from visrec.demo.drawing import draw_item
from visrec.demo.randomness import stream
from visrec.demo.world import World

COLUMNS: Final = 12
ROWS: Final = 6
GAP: Final = 4
"""Pixels between two pictures."""


def contact_sheet(world: World) -> Image.Image:
    """The first pictures of the catalogue on white, in rows."""
    size = world.config.image_size
    num = min(COLUMNS * ROWS, world.config.num_items)
    num_rows = -(-num // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (size + GAP) + GAP, num_rows * (size + GAP) + GAP), "white")
    for item in range(num):
        picture = draw_item(world.catalogue.design(item), stream(world.seed, "picture", item), size)
        row, column = divmod(item, COLUMNS)
        sheet.paste(picture, (GAP + column * (size + GAP), GAP + row * (size + GAP)))
    return sheet
