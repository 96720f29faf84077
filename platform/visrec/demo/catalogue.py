"""Catalogue of the demo shop: designs, and items made of them.

A design is a combination of shape, colour, pattern and style. An item has a design, a title, categories, a price, a
time of arrival, a quality and a popularity.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS
from visrec.config import DemoDataConfig
from visrec.demo.determinism import LOG_END_MS, log_start_ms, stream

SHAPES: Final = (
    "lamp", "vase", "chair", "shirt", "bag", "mug", "teapot", "clock", "plant", "umbrella", "sneaker", "guitar",
)  # fmt: skip
COLOURS: Final = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "white", "black")
PATTERNS: Final = ("plain", "stripes", "dots", "checks", "zigzag", "dipped")
STYLES: Final = ("modern", "comic", "classic")

ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "shape": SHAPES,
    "colour": COLOURS,
    "pattern": PATTERNS,
    "style": STYLES,
}
"""The values of each attribute, in the order of the columns of a one-hot row."""

NUM_VALUES: Final = sum(len(values) for values in ATTRIBUTES.values())
NUM_COMBINATIONS: Final = int(np.prod([len(values) for values in ATTRIBUTES.values()]))
ITEMS_PER_DESIGN: Final = 4
"""Mean number of items of one design."""

DEPARTMENTS: Final = {
    "lamp": "living", "vase": "living", "chair": "living", "clock": "living", "plant": "living",
    "mug": "kitchen", "teapot": "kitchen",
    "shirt": "fashion", "bag": "fashion", "umbrella": "fashion", "sneaker": "fashion",
    "guitar": "music",
}  # fmt: skip
PRICES: Final = {
    "lamp": 59.0, "vase": 29.0, "chair": 149.0, "clock": 45.0, "plant": 25.0, "mug": 12.0, "teapot": 39.0,
    "shirt": 24.0, "bag": 89.0, "umbrella": 27.0, "sneaker": 79.0, "guitar": 259.0,
}  # fmt: skip
STYLE_FACTORS: Final = {"modern": 1.0, "comic": 0.8, "classic": 1.5}
PATTERN_WORDS: Final = {
    "plain": "", "stripes": "striped ", "dots": "dotted ", "checks": "checked ", "zigzag": "zigzag ",
    "dipped": "two-tone ",
}  # fmt: skip
SERIES: Final = (
    "Alma", "Bruno", "Cleo", "Dante", "Elin", "Faro", "Greta", "Hugo", "Isla", "Juno", "Kaja", "Luca", "Mira", "Nils",
    "Olive", "Paco", "Quinn", "Rosa", "Sami", "Tove", "Uma", "Vito", "Wren", "Yara",
)  # fmt: skip

ARRIVING_SHARE: Final = 0.3
"""Share of the items that arrive during the log; the others are there from its start."""
YEARS_BEFORE: Final = 1.0
"""Period before the log over which the other items arrived."""
QUALITY_SPREAD: Final = 0.3
"""Standard deviation of item quality, in log-odds of a positive."""
POPULARITY_SPREAD: Final = 0.7
"""Standard deviation of an item's log-popularity: a long-tailed distribution. `demo_data.popularity_weight: 1` doubles
it."""
POPULAR_GAIN: Final = 5.5
"""Log-odds that every item gains where popularity has all the weight: those that tastes no longer give."""
POPULAR_QUALITY_SPREAD: Final = 1.2
"""Standard deviation of item quality, in log-odds of a positive, where popularity has all the weight."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """One combination of attribute values; items of one design look alike.

    Example:
        >>> Design(shape="mug", colour="teal", pattern="dots", style="classic").colour
        'teal'
    """

    shape: str
    colour: str
    pattern: str
    style: str


def draw_designs(num_items: int, seed: int) -> NDArray[np.int32]:
    """Draw different designs for a shop of `num_items`: about one for every `ITEMS_PER_DESIGN` items.

    Returns:
        Index of each value within its attribute, int32 [D, 4]; at most all combinations.
    """
    num_designs = min(max(num_items // ITEMS_PER_DESIGN, 5), NUM_COMBINATIONS)
    chosen = stream(seed, "designs").choice(NUM_COMBINATIONS, num_designs, replace=False)
    sizes = [len(values) for values in ATTRIBUTES.values()]
    return np.stack(np.unravel_index(np.sort(chosen), sizes), axis=1).astype(np.int32)


def design_of(values: NDArray[np.int32]) -> Design:
    """One row of `draw_designs` as a `Design`."""
    return Design(
        **{name: names[place] for (name, names), place in zip(ATTRIBUTES.items(), values, strict=True)}
    )


def one_hot(designs_D4: NDArray[np.int32]) -> NDArray[np.float32]:
    """One-hot encoding of designs, four ones a row: float32 [D, NUM_VALUES]."""
    sizes = [len(values) for values in ATTRIBUTES.values()]
    columns = designs_D4 + np.cumsum([0, *sizes[:-1]])
    rows = np.zeros((len(designs_D4), NUM_VALUES), np.float32)
    np.put_along_axis(rows, columns, 1.0, axis=1)
    return rows


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopCatalogue:
    """All items, in order of their arrival.

    Attributes:
        designs: Attribute values of each design, int32 [D, 4].
        design_of_item: Row of each item in `designs`, int32 [I].
        created_at: Arrival in milliseconds since 1970, ascending, int64 [I].
        quality: Part of an item's appeal that its picture does not show, in log-odds of a positive; it rises with
            popularity, float32 [I].
        popularity: Weight of each item in the logging policy's popular source, float64 [I].
    """

    designs: NDArray[np.int32]
    design_of_item: NDArray[np.int32]
    created_at: NDArray[np.int64]
    quality: NDArray[np.float32]
    popularity: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.design_of_item)

    def design(self, item: int) -> Design:
        """The design of one item."""
        return design_of(self.designs[self.design_of_item[item]])


def make_catalogue(config: DemoDataConfig, seed: int) -> ShopCatalogue:
    """Draw the items of a shop."""
    random = stream(seed, "catalogue")
    num = config.num_items
    designs = draw_designs(num, seed)
    # Every design has an item; what is left is spread unevenly, as some designs sell in more variants than others.
    share = random.gamma(4.0, size=len(designs))
    extra = random.choice(len(designs), num - len(designs), p=share / share.sum())
    design_of_item = random.permutation(np.r_[np.arange(len(designs)), extra]).astype(np.int32)
    num_arriving = round(ARRIVING_SHARE * num)
    start = log_start_ms(config.days)
    before = start - random.integers(0, int(YEARS_BEFORE * 365 * DAY_MS), num - num_arriving)
    during = random.integers(start, LOG_END_MS, num_arriving)
    hidden, weight = random.normal(size=num), config.popularity_weight
    spread = (1 - weight) * QUALITY_SPREAD + weight * POPULAR_QUALITY_SPREAD
    return ShopCatalogue(
        designs=designs,
        design_of_item=design_of_item,
        created_at=np.sort(np.r_[before, during]),
        quality=(spread * hidden + weight * POPULAR_GAIN).astype(np.float32),
        popularity=np.exp((1 + weight) * POPULARITY_SPREAD * hidden),
    )


def title(design: Design, random: np.random.Generator) -> str:
    """Title of an item, such as `Alma striped teal lamp, classic`."""
    series = SERIES[random.integers(len(SERIES))]
    return f"{series} {PATTERN_WORDS[design.pattern]}{design.colour} {design.shape}, {design.style}"


def categories(design: Design) -> tuple[str, ...]:
    """Categories of an item: department and kind of product."""
    return DEPARTMENTS[design.shape], design.shape


def price(design: Design, random: np.random.Generator) -> float:
    """Price of an item, with two decimals."""
    return round(PRICES[design.shape] * STYLE_FACTORS[design.style] * float(random.lognormal(0, 0.15)), 2)


def item_name(item: int, num_items: int) -> str:
    """Id of an item in files.

    Example:
        >>> item_name(42, 2000)
        'i00042'
    """
    return f"i{item:0{max(5, len(str(num_items - 1)))}d}"


def user_name(user: int, num_users: int) -> str:
    """Id of a user in files.

    Example:
        >>> user_name(17, 3000)
        'u00017'
    """
    return f"u{user:0{max(5, len(str(num_users - 1)))}d}"
