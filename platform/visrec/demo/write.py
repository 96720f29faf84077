"""Generation of a whole shop into a folder."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypedDict, TypeVar

import yaml

from visrec.config import DemoDataConfig
from visrec.config.ingest import (
    EventsConfig,
    ImagesConfig,
    IngestConfig,
    InteractionColumnsConfig,
    InteractionsConfig,
    ItemColumnsConfig,
    ItemsConfig,
)
from visrec.demo.catalogue import categories, item_name, price, title
from visrec.demo.determinism import iso, stream
from visrec.demo.log import COLUMNS, add_dirty_rows, bot_events, num_bots, rows_of, text_of
from visrec.demo.logging_policy import LoggingPolicy
from visrec.demo.pictures import broken_pictures, contact_sheet, encode, file_name, picture_file
from visrec.demo.sessions import simulate
from visrec.demo.truth import write_truth
from visrec.demo.world import World, make_world
from visrec.storage import Location


def ingest_config(folder: Location) -> IngestConfig:
    """Ingest config of a shop in `folder`: paths and columns. A view is only an impression: its weight is 0."""
    return IngestConfig(
        interactions=InteractionsConfig(
            path=str(folder / "interactions.csv"),
            columns=InteractionColumnsConfig(
                event_id="event_id", session_id="session_id", position="position"
            ),
        ),
        items=ItemsConfig(
            path=str(folder / "items.csv"),
            columns=ItemColumnsConfig(
                image="image", title="title", categories="categories", price="price", created_at="created_at"
            ),
        ),
        images=ImagesConfig(path=str(folder / "images")),
        events=EventsConfig(weights={"view": 0.0}),
    )


def ingest_yaml(folder: Location, workspace: Location) -> str:
    """YAML file of `ingest_config` and the workspace, for `visrec ingest --config`."""
    values: dict[str, Any] = {
        "workspace": str(workspace),
        "ingest": ingest_config(folder).model_dump(mode="json", exclude_unset=True),
    }
    return yaml.safe_dump(values, sort_keys=False)


USERS_PER_BLOCK: Final = 200
PICTURES_PER_BLOCK: Final = 50
ITEMS_PER_BLOCK: Final = 5000

A = TypeVar("A")
B = TypeVar("B")
ProgressCallback = Callable[[str, int, int], None]


class BlockMap(Protocol):
    """A function like the builtin `map`, perhaps parallel, with results in the order of the blocks."""

    def __call__(self, function: Callable[[A], B], blocks: Iterable[A], /) -> Iterator[B]:
        """Results of `function` on each block, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogBlock:
    """Log rows of a block of users.

    Attributes:
        text: The rows as CSV.
        kinds: Number of clean rows by event kind.
        dirt: Number of dirty rows by kind.
    """

    text: bytes
    kinds: Counter[str]
    dirt: Counter[str]


class ShopCounts(TypedDict):
    """Numbers of a generated shop, as they stand in `truth.json` and in the manifest."""

    rows: int
    """Rows of the log."""
    kinds: dict[str, int]
    """Clean rows by event kind."""
    dirt: dict[str, int]
    """Dirty rows by kind of error."""
    broken_pictures: dict[str, int]
    """Damaged picture files by kind of damage."""


def write_shop(
    folder: Location,
    config: DemoDataConfig,
    seed: int,
    *,
    spread: BlockMap = map,
    watch: ProgressCallback = lambda *_: None,
) -> ShopCounts:
    """Draw the pictures, simulate the users, and write everything except the config for ingest.

    Args:
        folder: An empty folder on any filesystem.
        config: Settings of the shop.
        seed: Equal seeds give equal bytes, however the work is distributed.
        spread: Maps a function over blocks of work; the builtin `map` runs them one after the other.
        watch: Progress callback, called with (`pictures` or `users`, done, total).
    """
    world = make_world(config, seed)
    _write_pictures(folder, world, spread, watch)
    _write_items(folder, world, spread)
    kinds, dirt = _write_log(folder, world, spread, watch)
    counts = ShopCounts(
        rows=kinds.total() + dirt.total(),
        kinds=dict(kinds),
        dirt=dict(dirt),
        broken_pictures=dict(Counter(broken_pictures(config, seed).values())),
    )
    write_truth(folder / "truth", world, counts)
    return counts


def _write_pictures(folder: Location, world: World, spread: BlockMap, watch: ProgressCallback) -> None:
    images = (folder / "images").make_dirs()
    done = 0
    for files in spread(partial(_draw_block, world), _blocks(world.config.num_items, PICTURES_PER_BLOCK)):
        for name, data in files:
            (images / name).write_bytes(data)
        done += len(files)
        watch("pictures", done, world.config.num_items)
    (folder / "sheet.png").write_bytes(encode(contact_sheet(world), png=True))


def _draw_block(world: World, items: range) -> list[tuple[str, bytes]]:
    broken = broken_pictures(world.config, world.seed)
    num_items = world.config.num_items
    return [(file_name(item, num_items), picture_file(world, item, broken.get(item))) for item in items]


def _write_items(folder: Location, world: World, spread: BlockMap) -> None:
    location = folder / "items.csv"
    with location.filesystem.open_output_stream(location.path) as out:
        out.write(b"item_id,image,title,categories,price,created_at\n")
        for text in spread(partial(_items_block, world), _blocks(world.config.num_items, ITEMS_PER_BLOCK)):
            out.write(text)


def _items_block(world: World, items: range) -> bytes:
    num_items = world.config.num_items
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    for item in items:
        design, random = world.catalogue.design(item), stream(world.seed, "title", item)
        table.writerow(
            [
                item_name(item, num_items),
                file_name(item, num_items),
                title(design, random),
                "|".join(categories(design)),
                f"{price(design, random):.2f}",
                iso(int(world.catalogue.created_at[item])),
            ]
        )
    return text.getvalue().encode()


def _write_log(
    folder: Location, world: World, spread: BlockMap, watch: ProgressCallback
) -> tuple[Counter[str], Counter[str]]:
    """Write the log; return the number of clean rows by event kind and of dirty rows by kind of error."""
    location = folder / "interactions.csv"
    config = world.config
    blocks = _blocks(config.num_users, USERS_PER_BLOCK)
    kinds: Counter[str] = Counter()
    dirt: Counter[str] = Counter()
    with location.filesystem.open_output_stream(location.path) as out:
        out.write((",".join(COLUMNS) + "\n").encode())
        for users, block in zip(blocks, spread(partial(_log_block, world), blocks), strict=True):
            out.write(block.text)
            kinds += block.kinds
            dirt += block.dirt
            watch("users", users.stop, config.num_users)
        for bot in range(num_bots(config)):
            rows = rows_of(bot_events(config, world.seed, bot), config)
            out.write(text_of(rows))
            dirt["bot"] += len(rows)
    return kinds, dirt


def _log_block(world: World, users: range) -> LogBlock:
    policy = LoggingPolicy(world.catalogue, popularity_weight=world.config.popularity_weight)
    clean = rows_of(simulate(world, policy, users), world.config)
    rows, dirt = add_dirty_rows(clean, world.config, stream(world.seed, "dirt", users.start))
    return LogBlock(text=text_of(rows), kinds=Counter(row.kind for row in clean), dirt=Counter(dirt))


def _blocks(num: int, size: int) -> list[range]:
    return [range(begin, min(begin + size, num)) for begin in range(0, num, size)]
