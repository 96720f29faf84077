"""Items and lists of recommended items, for callers: as text, as pictures in a notebook, in pandas, in Arrow."""

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import pyarrow as pa

from visrec.recommend.types import Ranked, Source
from visrec.releases import Release

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

_MAX_TITLE = 40
"""Characters of a title in a text table."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Item:
    """An item of a release's catalogue.

    Attributes:
        index: Item index.
        release: The release, whose files the facts and the picture are read from.
    """

    index: int
    release: Release = field(compare=False)

    @classmethod
    def find(cls, release: Release, item_id: str) -> "Item":
        """The item of an id.

        Raises:
            NotFoundError: The catalogue does not hold it.
        """
        return Item(index=release.catalogue.index_of(item_id), release=release)

    @property
    def id(self) -> str:
        """Id of the item."""
        return self.release.catalogue.id_of(self.index)

    @property
    def title(self) -> str | None:
        """Title; None where the catalogue has none."""
        return self.release.catalogue.title_of(self.index)

    @property
    def price(self) -> float | None:
        """Price; None where the catalogue has none."""
        return self.release.catalogue.price_of(self.index)

    @property
    def categories(self) -> list[str]:
        """Names of its categories."""
        return self.release.catalogue.categories_of(self.index)

    @property
    def available(self) -> bool:
        """Whether it may be recommended."""
        return bool(self.release.catalogue.available[self.index])

    @property
    def has_image(self) -> bool:
        """Whether it has a picture."""
        return bool(self.release.catalogue.image_rows[self.index] >= 0)

    @property
    def image(self) -> bytes | None:
        """The thumbnail, a JPEG file; None without a picture."""
        row = int(self.release.catalogue.image_rows[self.index])
        return self.release.thumbnails.read(row) if row >= 0 else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, title={self.title!r}, price={self.price})"

    def _repr_html_(self) -> str:
        return _grid([_card(self, _price(self))])


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class RecommendedItem(Item):
    """An item of a list.

    Attributes:
        position: Place on the list, from 0.
        score: Comparable within one list only.
    """

    position: int
    score: float

    def __repr__(self) -> str:
        return f"{type(self).__name__}(position={self.position}, id={self.id!r}, score={self.score:.4f})"


class RecommendationList(Sequence[RecommendedItem]):
    """Recommended items, best first. A notebook shows their pictures.

    Attributes:
        source: Basis of the list: `user`, `history`, `popular`, `item` or `picture`.
        release: Name of the release that it comes from.
        unknown_items: Ids of the given history that the catalogue does not hold; they were left out of it.

    Example:
        >>> found = shop.recommend(user="u00017", k=10)                     # doctest: +SKIP
        >>> found[0].id, found[0].title                                     # doctest: +SKIP
        ('i00042', 'Striped blue vase')
        >>> found.to_pandas()[["item_id", "score"]]                         # doctest: +SKIP
    """

    def __init__(
        self,
        items: Sequence[RecommendedItem],
        *,
        source: Source,
        release: str,
        unknown_items: Sequence[str] = (),
    ) -> None:
        self._items = tuple(items)
        self.source: Source = source
        self.release = release
        self.unknown_items = tuple(unknown_items)

    @classmethod
    def of(
        cls, release: Release, ranked: Ranked, source: Source, *, unknown_items: Sequence[str] = ()
    ) -> "RecommendationList":
        """The list of ranked item indices."""
        pairs = zip(ranked.items.tolist(), ranked.scores.tolist(), strict=True)
        items = [
            RecommendedItem(index=index, release=release, position=position, score=score)
            for position, (index, score) in enumerate(pairs)
        ]
        return cls(items, source=source, release=release.name, unknown_items=unknown_items)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[RecommendedItem]:
        return iter(self._items)

    @overload
    def __getitem__(self, place: int) -> RecommendedItem: ...

    @overload
    def __getitem__(self, place: slice) -> "RecommendationList": ...

    def __getitem__(self, place: int | slice) -> "RecommendedItem | RecommendationList":
        if isinstance(place, slice):
            return RecommendationList(
                self._items[place],
                source=self.source,
                release=self.release,
                unknown_items=self.unknown_items,
            )
        return self._items[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecommendationList):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self._items, self.source, self.release, self.unknown_items

    def __repr__(self) -> str:
        width = max((len(item.id) for item in self), default=0)
        lines = [self._caption()]
        for item in self:
            title = (item.title or "")[:_MAX_TITLE]
            price = _price(item).rjust(9)
            lines.append(
                f"{item.position:>3}  {item.id:<{width}} {item.score:>9.4f} {price}  {title}".rstrip()
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cards = [_card(item, _price(item), f"score {item.score:.4f}") for item in self]
        return f'<div style="{_SMALL}">{html.escape(self._caption())}</div>{_grid(cards)}'

    def to_arrow(self) -> Any:
        """A `pyarrow.Table` with one row an item: position, item_id, title, score, price, categories."""
        columns = {
            "position": pa.array([item.position for item in self], pa.int32()),
            "item_id": pa.array([item.id for item in self], pa.string()),
            "title": pa.array([item.title for item in self], pa.string()),
            "score": pa.array([item.score for item in self], pa.float32()),
            "price": pa.array([item.price for item in self], pa.float64()),
            "categories": pa.array([item.categories for item in self], pa.list_(pa.string())),
        }
        return pa.table(columns)

    def to_pandas(self) -> "pd.DataFrame":
        """The table of `to_arrow` as a `pandas.DataFrame`."""
        return self.to_arrow().to_pandas()

    def _caption(self) -> str:
        caption = f"{len(self)} items, source: {self.source}, release: {self.release}"
        return f"{caption}, unknown items: {', '.join(self.unknown_items)}" if self.unknown_items else caption


# Text in the notebook's own colour and half-transparent greys: right on a light and on a dark ground.
_GREY = "rgba(128,128,128,{})"
_GRID = "display:flex;flex-wrap:wrap;gap:12px;margin:6px 0;color:inherit;font:13px/1.35 system-ui,sans-serif"
_CARD = (
    f"width:128px;padding:6px;box-sizing:border-box;border:1px solid {_GREY.format(0.35)};border-radius:8px"
)
_PICTURE = (
    "display:flex;align-items:center;justify-content:center;height:114px;margin:0 0 5px;overflow:hidden;"
    f"border-radius:5px;background:{_GREY.format(0.12)}"
)
_IMAGE = "max-width:100%;max-height:100%;margin:0"
_SMALL = "opacity:.65;font-size:11px"


def _grid(cards: Sequence[str]) -> str:
    return f'<div style="{_GRID}">{"".join(cards)}</div>'


def _card(item: Item, *small: str) -> str:
    jpeg = item.image
    picture = ""
    if jpeg is not None:
        source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        picture = f'<img style="{_IMAGE}" alt="" src="{source}">'
    line = html.escape(" · ".join(part for part in small if part))
    return (
        f'<div style="{_CARD}" title="{html.escape(item.id)}"><div style="{_PICTURE}">{picture}</div>'
        f'<div>{html.escape(item.title or item.id)}</div><div style="{_SMALL}">{line}</div></div>'
    )


def _price(item: Item) -> str:
    return "" if item.price is None else f"{item.price:,.2f}"
