"""Picture files: most are fine, a few are what a scraper or a full disk leaves behind."""

import io
from typing import Final

from PIL import Image

from visrec.config import DemoDataConfig
from visrec.demo.catalogue import item_name
from visrec.demo.drawing import draw_item
from visrec.demo.randomness import stream
from visrec.demo.world import World

PNG_EVERY: Final = 50
"""One picture in so many is a PNG, named as one."""
PNG_NAMED_JPG_EVERY: Final = 100
"""One picture in so many is a PNG, named .jpg: any decoder reads it."""
HTML: Final = b"<!doctype html><html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"


def file_name(item: int, num_items: int) -> str:
    """Name of an item's picture in the folder of pictures."""
    return item_name(item, num_items) + (".png" if item % PNG_EVERY == 7 else ".jpg")


def broken_pictures(config: DemoDataConfig, seed: int) -> dict[int, str]:
    """Items whose picture is broken, and how: `truncated`, or `mislabelled` (a web page named .jpg)."""
    share = config.dirt / 10
    num = max(round(share * config.num_items), min(2, config.num_items // 50)) if share else 0
    items = stream(seed, "broken pictures").choice(config.num_items, num, replace=False)
    return {int(item): ("truncated", "mislabelled")[place % 2] for place, item in enumerate(items)}


def picture_file(world: World, item: int, broken: str | None = None) -> bytes:
    """The bytes of one item's picture file; `broken` is how it is, if it is."""
    if broken == "mislabelled":
        return HTML
    random = stream(world.seed, "picture", item)
    image = draw_item(world.catalogue.design(item), random, world.config.image_size)
    data = encode(image, png=item % PNG_EVERY == 7 or item % PNG_NAMED_JPG_EVERY == 3)
    return data[: int(0.6 * len(data))] if broken == "truncated" else data


def encode(image: Image.Image, *, png: bool) -> bytes:
    """An image as the bytes of a PNG or a JPEG file."""
    buffer = io.BytesIO()
    if png:
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
