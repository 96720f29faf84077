"""The whole shop to a folder."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from visrec.config import DemoDataConfig
from visrec.demo.calendar import iso, log_start_ms
from visrec.demo.catalogue import item_name, make_catalogue
from visrec.demo.dirt import add_dirt, bot_events, num_bots
from visrec.demo.log import COLUMNS, rows_of, text_of
from visrec.demo.pictures import broken_pictures, file_name, picture_file
from visrec.demo.randomness import stream
from visrec.demo.sessions import World, simulate
from visrec.demo.shelf import Shelf
from visrec.demo.tastes import make_tastes
from visrec.demo.titles import categories, price, title
from visrec.demo.truth import write_truth
from visrec.storage import Location

FORMAT_VERSION: Final = 1
"""Raised when the same settings and seed give other bytes than before."""
USERS_PER_BLOCK: Final = 200
PICTURES_PER_BLOCK: Final = 50

A = TypeVar("A")
B = TypeVar("B")
Watch = Callable[[str, int, int], None]


class Spread(Protocol):
    """How work on blocks is spread: like the builtin `map`, results in the order of the blocks."""

    def __call__(self, function: Callable[[A], B], blocks: Iterable[A], /) -> Iterator[B]:
        """Results of `function` on each block, in order."""


@dataclass(frozen=True)
class Block:
    """Lines of the log of some users."""

    text: bytes
    kinds: Counter[str]
    dirt: Counter[str]


def make_world(config: DemoDataConfig, seed: int) -> World:
    """The shop and its users before anything happens."""
    catalogue = make_catalogue(config, seed)
    return World(config, seed, catalogue, make_tastes(config.num_users, seed, log_start_ms(config.days)))


def write_shop(
    folder: Location,
    config: DemoDataConfig,
    seed: int,
    *,
    spread: Spread = map,
    watch: Watch = lambda *_: None,
) -> dict[str, Any]:
    """Draw pictures, simulate users, and write all files but the config for ingest.

    Args:
        folder: An empty folder on any filesystem.
        config: Size and nature.
        seed: Equal seeds give equal bytes, however the work is spread.
        spread: Runs blocks of work; the builtin `map` runs them here, one after the other.
        watch: Called with (what, done, total) as the work goes on.

    Returns:
        Counts: rows, kinds of events, kinds of dirt, broken pictures.
    """
    world = make_world(config, seed)
    _write_pictures(folder, world, spread, watch)
    _write_items(folder, world)
    counts = _write_log(folder, world, spread, watch)
    facts = {
        "seed": seed,
        "counts": {**counts, "broken_pictures": Counter(broken_pictures(config, seed).values())},
    }
    write_truth(folder / "truth", world.catalogue, world.tastes, facts)
    return dict(facts["counts"])


def _write_pictures(folder: Location, world: World, spread: Spread, watch: Watch) -> None:
    images = (folder / "images").make_dirs()
    blocks = _blocks(world.config.num_items, PICTURES_PER_BLOCK)
    done = 0
    for files in spread(partial(_draw_block, world), blocks):
        for name, data in files:
            (images / name).write_bytes(data)
        done += len(files)
        watch("pictures", done, world.config.num_items)


def _draw_block(world: World, items: range) -> list[tuple[str, bytes]]:
    config = world.config
    broken = broken_pictures(config, world.seed)
    return [
        (
            file_name(item, config.num_items),
            picture_file(world.catalogue, item, config.image_size, world.seed, broken.get(item)),
        )
        for item in items
    ]


def _write_items(folder: Location, world: World) -> None:
    catalogue, num_items = world.catalogue, world.config.num_items
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["item_id", "image", "title", "categories", "price", "created_at"])
    for item in range(num_items):
        design, random = catalogue.design(item), stream(world.seed, "title", item)
        label, asked = title(design, random), f"{price(design, random):.2f}"
        listed = "|".join(categories(design))
        created = iso(int(catalogue.created_at[item]))
        table.writerow(
            [item_name(item, num_items), file_name(item, num_items), label, listed, asked, created]
        )
    (folder / "items.csv").write_text(text.getvalue())


def _write_log(folder: Location, world: World, spread: Spread, watch: Watch) -> dict[str, Any]:
    location = folder / "interactions.csv"
    num_users = world.config.num_users
    kinds: Counter[str] = Counter()
    dirt: Counter[str] = Counter()
    done = 0
    with location.filesystem.open_output_stream(location.path) as stream_out:
        stream_out.write((",".join(COLUMNS) + "\n").encode())
        for block in spread(partial(_log_block, world), _blocks(num_users, USERS_PER_BLOCK)):
            stream_out.write(block.text)
            kinds += block.kinds
            dirt += block.dirt
            done = min(done + USERS_PER_BLOCK, num_users)
            watch("users", done, num_users)
        for bot in range(num_bots(world.config)):
            events = bot_events(world.config, world.seed, bot)
            stream_out.write(text_of(rows_of(events, num_users=num_users, num_items=world.config.num_items)))
            dirt["bot"] += len(events)
    return {"rows": kinds.total() + dirt.total(), "kinds": kinds, "dirt": dirt}


def _log_block(world: World, users: range) -> Block:
    events = simulate(world, Shelf(world.catalogue), users)
    clean = rows_of(events, num_users=world.config.num_users, num_items=world.config.num_items)
    rows, dirt = add_dirt(clean, world.config, stream(world.seed, "dirt", users.start))
    return Block(text_of(rows), Counter(row.fields[3] for row in clean), Counter(dirt))


def _blocks(num: int, size: int) -> list[range]:
    return [range(begin, min(begin + size, num)) for begin in range(0, num, size)]
