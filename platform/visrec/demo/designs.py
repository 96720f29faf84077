"""What a product can look like: shape x colour x pattern x style."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.demo.basics import stream

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """One look.

    Example:
        >>> Design("mug", "teal", "dots", "classic").colour
        'teal'
    """

    shape: str
    colour: str
    pattern: str
    style: str


def draw_designs(num_items: int, seed: int) -> NDArray[np.int32]:
    """The designs of a shop of `num_items`: about one for every `ITEMS_PER_DESIGN` items, without repetition.

    Returns:
        Places of values within their attribute, int32 [D, 4]. As many designs as there are combinations at most.
    """
    num_designs = min(max(num_items // ITEMS_PER_DESIGN, 5), NUM_COMBINATIONS)
    chosen = stream(seed, "designs").choice(NUM_COMBINATIONS, num_designs, replace=False)
    sizes = [len(values) for values in ATTRIBUTES.values()]
    return np.stack(np.unravel_index(np.sort(chosen), sizes), axis=1).astype(np.int32)


def design_of(values: NDArray[np.int32]) -> Design:
    """One row of `draw_designs` by names."""
    return Design(
        **{name: names[place] for (name, names), place in zip(ATTRIBUTES.items(), values, strict=True)}
    )


def one_hot(designs_D4: NDArray[np.int32]) -> NDArray[np.float32]:
    """Designs as rows with a 1 for each of their four values: float32 [D, NUM_VALUES]."""
    sizes = [len(values) for values in ATTRIBUTES.values()]
    columns = designs_D4 + np.cumsum([0, *sizes[:-1]])
    rows = np.zeros((len(designs_D4), NUM_VALUES), np.float32)
    np.put_along_axis(rows, columns, 1.0, axis=1)
    return rows
