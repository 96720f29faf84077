"""Categorical codes of item attributes: categories, and price levels (quantiles of the catalogue's prices).

Shape legend: I items, M categories of an item at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_CATEGORIES = 8
"""Categories of one item; further ones are left out."""
NUM_PRICE_LEVELS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeFacts:
    """Vocabulary of attribute codes; stored with the model, so that a new item gets the same codes.

    Attributes:
        categories: Names; code 0 is none, code k is name k - 1.
        price_edges: Ascending prices between the levels; empty where there are no prices.
    """

    categories: tuple[str, ...]
    price_edges: tuple[float, ...]

    @classmethod
    def of(
        cls, categories: Sequence[Sequence[str] | None], prices: Sequence[float | None]
    ) -> "AttributeFacts":
        """Vocabulary of a catalogue: every category, and price levels that hold equally many items.

        Example:
            >>> AttributeFacts.of([["red"], ["blue", "red"]], [None, None]).categories
            ('blue', 'red')
        """
        names = sorted({name for item in categories for name in item or ()})
        known = np.array([price for price in prices if price is not None], np.float64)
        if not len(known):
            return cls(categories=tuple(names), price_edges=())
        edges = np.unique(np.quantile(known, np.arange(1, NUM_PRICE_LEVELS) / NUM_PRICE_LEVELS))
        return cls(categories=tuple(names), price_edges=tuple(edges.tolist()))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "AttributeFacts":
        """From JSON."""
        return cls(
            categories=tuple(values["categories"]),
            price_edges=tuple(float(edge) for edge in values["price_edges"]),
        )

    def category_codes(self, categories: Sequence[Sequence[str] | None]) -> NDArray[np.int32]:
        """int32 [I, M], padded with 0; unknown names count as none."""
        code = {name: number for number, name in enumerate(self.categories, start=1)}
        codes = np.zeros((len(categories), MAX_CATEGORIES), np.int32)
        for row, names in enumerate(categories):
            known = [code[name] for name in names or () if name in code][:MAX_CATEGORIES]
            codes[row, : len(known)] = known
        return codes

    def price_codes(self, prices: Sequence[float | None]) -> NDArray[np.int32]:
        """int32 [I]: 0 for no price, else 1 + the level.

        Example:
            >>> AttributeFacts(categories=(), price_edges=(10.0, 20.0)).price_codes([None, 5.0, 10.0, 99.0]).tolist()
            [0, 1, 2, 3]
        """
        given = np.array([np.nan if price is None else price for price in prices], np.float64)
        levels = 1 + np.searchsorted(np.array(self.price_edges), given, side="right")
        return np.where(np.isnan(given), 0, levels).astype(np.int32)
