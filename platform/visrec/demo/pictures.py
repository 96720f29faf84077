"""Picture files of the items, some of them damaged, and a contact sheet."""

import io
from typing import Final

from PIL import Image

from visrec.config import DemoDataConfig
from visrec.demo.catalogue import item_name
from visrec.demo.determinism import stream
from visrec.demo.drawing import draw_item
from visrec.demo.world import World

PNG_EVERY: Final = 50
"""One picture in this number is a PNG file."""
PNG_NAMED_JPG_EVERY: Final = 100
"""One picture in this number is a PNG file with the extension .jpg, which decoders go by content to read."""
ERROR_PAGE: Final = (
    b"<!doctype html><html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"
)
COLUMNS: Final = 12
ROWS: Final = 6
GAP: Final = 4
"""Pixels between two pictures."""


def file_name(item: int, num_items: int) -> str:
    """File name of an item's picture."""
    return item_name(item, num_items) + (".png" if item % PNG_EVERY == 7 else ".jpg")


def broken_pictures(config: DemoDataConfig, seed: int) -> dict[int, str]:
    """Items with a broken picture file by the kind of damage: `truncated`, or `mislabelled` (a web page named .jpg)."""
    share = config.dirty_share / 10
    num = max(round(share * config.num_items), min(2, config.num_items // 50)) if share else 0
    items = stream(seed, "broken pictures").choice(config.num_items, num, replace=False)
    return {int(item): ("truncated", "mislabelled")[place % 2] for place, item in enumerate(items)}


def picture_file(world: World, item: int, broken: str | None = None) -> bytes:
    """Content of one item's picture file, damaged as `broken` says (see `broken_pictures`)."""
    if broken == "mislabelled":
        return ERROR_PAGE
    random = stream(world.seed, "picture", item)
    image = draw_item(world.catalogue.design(item), random, world.config.image_size)
    data = encode(image, png=item % PNG_EVERY == 7 or item % PNG_NAMED_JPG_EVERY == 3)
    return data[: int(0.6 * len(data))] if broken == "truncated" else data


def encode(image: Image.Image, *, png: bool) -> bytes:
    """Content of a PNG or JPEG file of an image."""
    buffer = io.BytesIO()
    if png:
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def contact_sheet(world: World) -> Image.Image:
    """The first pictures of the catalogue in rows on white, as an overview."""
    size = world.config.image_size
    num = min(COLUMNS * ROWS, world.config.num_items)
    num_rows = -(-num // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (size + GAP) + GAP, num_rows * (size + GAP) + GAP), "white")
    for item in range(num):
        picture = draw_item(world.catalogue.design(item), stream(world.seed, "picture", item), size)
        row, column = divmod(item, COLUMNS)
        sheet.paste(picture, (GAP + column * (size + GAP), GAP + row * (size + GAP)))
    return sheet
