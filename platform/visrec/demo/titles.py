"""What the shop calls its products, and what it asks for them."""

from typing import Final

import numpy as np

from visrec.demo.designs import Design

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


def title(design: Design, random: np.random.Generator) -> str:
    """Such as `Alma striped teal lamp, classic`."""
    series = SERIES[random.integers(len(SERIES))]
    return f"{series} {PATTERN_WORDS[design.pattern]}{design.colour} {design.shape}, {design.style}"


def categories(design: Design) -> tuple[str, ...]:
    """Department and kind of product."""
    return DEPARTMENTS[design.shape], design.shape


def price(design: Design, random: np.random.Generator) -> float:
    """In the currency of the shop, with two decimals."""
    return round(PRICES[design.shape] * STYLE_FACTORS[design.style] * float(random.lognormal(0, 0.15)), 2)
