"""Designs of products: combinations of shape, colour, pattern and style."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.demo.determinism import stream

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
