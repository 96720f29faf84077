"""Catalogue of a release: item facts by index, index by id, text search, and the order by popularity."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from visrec.arrays import DAY_MS, Ragged
from visrec.data.snapshot import Sequences
from visrec.errors import NotFoundError

RECENT_DAYS = 7.0


class ReleaseCatalogue:
    """Item facts in columns; row number = item index.

    Attributes:
        available: Whether an item may be recommended: bool [I].
        prices: NaN where there is none: float64 [I].
        image_rows: Row of the picture, -1 where there is none: int32 [I].
        category_names: All categories, sorted.
        category_counts: Items in each: int64.

    Example:
        >>> release.catalogue.index_of("i00042")            # doctest: +SKIP
        42
    """

    def __init__(self, items: Any) -> None:
        """From the pyarrow table of `items.parquet`."""
        self._ids = items.column("item_id").combine_chunks()
        self._titles = items.column("title").combine_chunks()
        self._index = {item_id: index for index, item_id in enumerate(self._ids.to_pylist())}
        self.available: NDArray[np.bool_] = np.asarray(
            items.column("available").fill_null(True).to_numpy(), np.bool_
        )
        self.prices: NDArray[np.float64] = (
            items.column("price").cast(pa.float64()).fill_null(np.nan).to_numpy()
        )
        self.image_rows: NDArray[np.int32] = np.asarray(items.column("image_row").to_numpy(), np.int32)
        categories = Ragged.from_lists(items.column("categories"))
        names, codes = np.unique(categories.values, return_inverse=True)
        self._categories = Ragged(offsets=categories.offsets, values=codes)
        self.category_names: list[str] = names.tolist()
        self.category_counts: NDArray[np.int64] = np.bincount(codes, minlength=len(names))

    def __len__(self) -> int:
        return len(self._index)

    def id_of(self, item: int) -> str:
        """Id of an item index."""
        return str(self._ids[item].as_py())

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._index

    def index_of(self, item_id: str) -> int:
        """Index of an item id.

        Raises:
            NotFoundError: The catalogue does not hold it.
        """
        try:
            return self._index[item_id]
        except KeyError:
            raise NotFoundError(f"item {item_id!r} is not in the catalogue") from None

    def title_of(self, item: int) -> str | None:
        """Title, or None."""
        title = self._titles[item].as_py()
        return None if title is None else str(title)

    def price_of(self, item: int) -> float | None:
        """Price, or None."""
        price = float(self.prices[item])
        return None if np.isnan(price) else price

    def categories_of(self, item: int) -> list[str]:
        """Names of the item's categories."""
        return [self.category_names[code] for code in self._categories.row(item)]

    def has_any_category(self, items: NDArray[np.int32], names: frozenset[str]) -> NDArray[np.bool_]:
        """Whether each of the items is in at least one of the categories: bool [N]."""
        chosen = np.array([name in names for name in self.category_names], np.bool_)
        owner, entries = self._categories.gather(items)
        codes = self._categories.values[entries]
        return np.bincount(owner[chosen[codes]], minlength=len(items)) > 0

    def search(self, text: str | None = None, category: str | None = None) -> NDArray[np.int32]:
        """Indices of the items whose title, id or category contains every word of `text`, in order of index."""
        everything = np.arange(len(self), dtype=np.int32)
        found = np.ones(len(self), np.bool_)
        for word in (text or "").split():
            names = frozenset(name for name in self.category_names if word.casefold() in name.casefold())
            found &= (
                _contains(self._titles, word)
                | _contains(self._ids, word)
                | self.has_any_category(everything, names)
            )
        if category is not None:
            found &= self.has_any_category(everything, frozenset([category]))
        return np.flatnonzero(found).astype(np.int32)


@dataclass(frozen=True, kw_only=True, slots=True)
class PopularItems:
    """The catalogue in order of popularity: recommendations for users without a history.

    Attributes:
        items: All item indices, most popular first, ties by lower index: int32 [I].
        events_per_week: Of each of `items`: float32 [I].
    """

    items: NDArray[np.int32]
    events_per_week: NDArray[np.float32]

    @classmethod
    def fit(cls, blocks: Callable[[], Iterable[Sequences]], num_items: int) -> "PopularItems":
        """Estimate each item's positives per week: the mean of last week's count and of the long-run rate.

        Last week alone has no event of most items of a long tail, and the long-run rate follows changes late.

        Args:
            blocks: Starts a pass over the sequences; called twice.
            num_items: Size of the catalogue.
        """
        bounds = [(b.times.min(), b.times.max()) for b in blocks() if len(b.times)]
        first = min((low for low, _ in bounds), default=0)
        last = max((high for _, high in bounds), default=0)
        window_ms = RECENT_DAYS * DAY_MS
        recent, total = np.zeros(num_items, np.int64), np.zeros(num_items, np.int64)
        for block in blocks():
            total += np.bincount(block.items, minlength=num_items)
            recent += np.bincount(block.items[block.times > last - window_ms], minlength=num_items)
        long_run = total * min(1.0, window_ms / max(last - first, 1))
        per_week = ((recent + long_run) / 2).astype(np.float32)
        order = np.argsort(-per_week, kind="stable")
        return cls(items=order.astype(np.int32), events_per_week=per_week[order])


def _contains(texts: Any, word: str) -> NDArray[np.bool_]:
    """Whether each text contains the word, in any case; null contains nothing."""
    hits = pc.match_substring(texts, word, ignore_case=True)
    return np.asarray(hits.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)
