"""Requests and responses of the HTTP interface, and how they map to those of `visrec.recommend`."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from visrec.config import EventKind
from visrec.data.schemas import MAX_ID_BYTES
from visrec.recommend import lists, types

MAX_K = 500
MAX_HISTORY = 1000
Reason = Literal["personal", "popular", "similar"]
_REASONS: dict[types.Source, Reason] = {
    "user": "personal",
    "history": "personal",
    "popular": "popular",
    "item": "similar",
    "picture": "similar",
}
K = Annotated[
    int, Field(ge=1, le=MAX_K, description="Items wanted; fewer come back where there are no more.")
]
Diversity = Annotated[float, Field(ge=0, le=1, description="0 is the pure score, 1 is pure difference.")]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
ItemId = Annotated[str, Field(min_length=1, max_length=MAX_ID_BYTES)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HistoryEvent(_Request):
    """Something that the user did."""

    item_id: ItemId
    kind: EventKind | None = Field(None, description="Null takes the usual kind of the release.")
    time: datetime | None = Field(None, description="Null: now. A time without a zone is UTC.")


class Filters(_Request):
    """Filters on the recommended items."""

    available_only: bool = True
    include_categories: list[str] = Field(
        [], max_length=100, description="At least one of these; empty allows all."
    )
    exclude_categories: list[str] = Field([], max_length=100)
    min_price: Price | None = None
    max_price: Price | None = None

    @model_validator(mode="after")
    def _range(self) -> "Filters":
        if self.min_price is not None and self.max_price is not None and self.min_price > self.max_price:
            raise ValueError(f"min_price {self.min_price:g} is above max_price {self.max_price:g}")
        return self

    def rules(self) -> types.Rules:
        """The rules of the pipeline."""
        return types.Rules(
            available_only=self.available_only,
            include_categories=frozenset(self.include_categories),
            exclude_categories=frozenset(self.exclude_categories),
            min_price=self.min_price,
            max_price=self.max_price,
        )


class RecommendationRequest(_Request):
    """For whom, and what. Without `user_id` and `history`, the popular items come back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"user_id": "u00017", "k": 10},
                {"history": [{"item_id": "i00042"}, {"item_id": "i00007", "kind": "like"}], "k": 5},
                {"k": 20, "filters": {"max_price": 50}},
            ]
        }
    )

    user_id: str | None = Field(None, max_length=MAX_ID_BYTES, description="A user of the log.")
    history: list[HistoryEvent] = Field(
        [], max_length=MAX_HISTORY, description="Oldest first; follows what is known of the user."
    )
    k: K = 10
    exclude_seen: bool = Field(True, description="Leave out items of the history.")
    filters: Filters = Filters()
    diversity: Diversity | None = Field(None, description="Null takes that of the server.")

    def events(self) -> list[types.HistoryEvent]:
        """The history for the pipeline."""
        return [types.HistoryEvent(item_id=e.item_id, kind=e.kind, time=e.time) for e in self.history]

    def options(self) -> types.RecommendOptions:
        """The options of the pipeline."""
        return types.RecommendOptions(
            k=self.k, rules=self.filters.rules(), diversity=self.diversity, exclude_seen=self.exclude_seen
        )


def _image_path(encoded_id: str) -> str:
    """Path of an item's picture, up to further parameters."""
    if encoded_id in (".", ".."):  # browsers take them out of paths, encoded or not
        return f"/v1/item/image?id={encoded_id}&"
    return f"/v1/items/{encoded_id}/image?"


class ItemSummary(BaseModel):
    """An item, short."""

    id: str = Field(examples=["i00042"])
    title: str | None = Field(examples=["Striped blue vase"])
    image: str | None = Field(description="Path of its picture.", examples=["/v1/items/i00042/image?v=3f2a"])
    price: float | None
    categories: list[str]

    @classmethod
    def of(cls, item: lists.Item, root_path: str, **further: Any) -> Self:
        """From an item of the catalogue and the fields that a subclass adds; paths begin with `root_path`."""
        path = _image_path(quote(item.id, safe=""))
        return cls(
            id=item.id,
            title=item.title,
            image=f"{root_path}{path}v={item.release.name}" if item.has_image else None,
            price=item.price,
            categories=item.categories,
            **further,
        )


class Recommendation(ItemSummary):
    """A recommended item."""

    position: int = Field(description="Place on the list, from 0.")
    score: float = Field(description="Comparable within one list only.")
    reason: Reason


class RecommendationList(BaseModel):
    """Recommended items, best first."""

    release: str = Field(description="Release that answered.")
    source: Literal["user", "history", "popular", "item", "picture"] = Field(
        description="What the list goes by: the known user, the given history, popularity, an item, a picture."
    )
    items: list[Recommendation]
    unknown_items: list[str] = Field(
        description="Ids of the given history that the catalogue does not hold; they were left out of it."
    )

    @classmethod
    def of(cls, found: lists.RecommendationList, root_path: str) -> "RecommendationList":
        """From a list of the pipeline."""
        reason = _REASONS[found.source]
        items = [
            Recommendation.of(item, root_path, position=item.position, score=item.score, reason=reason)
            for item in found
        ]
        return cls(
            release=found.release, source=found.source, items=items, unknown_items=list(found.unknown_items)
        )


class ItemFacts(ItemSummary):
    """An item, whole."""

    available: bool
    release: str


class ItemPage(BaseModel):
    """A stretch of the catalogue."""

    release: str
    total: int = Field(description="Items that fit.")
    offset: int
    items: list[ItemSummary]


class Category(BaseModel):
    """A category."""

    name: str
    num_items: int


class Health(BaseModel):
    """Whether the server lives, and whether it can answer."""

    live: Literal[True] = True
    ready: bool
    release: str
    graph: dict[str, Literal["ok", "unavailable"]] = Field(description="Each deployment.")
    trouble: str | None = Field(None, description="Why the current release does not answer yet.")


class ReleaseFacts(BaseModel):
    """The release that answers."""

    name: str
    created_at: str
    parents: dict[str, str]
    counts: dict[str, float]
    index: str
    has_pictures: bool = Field(description="Whether it can search by an uploaded picture.")
    images: dict[str, Any]
    forced: str | None = Field(
        description="Conditions of the gate that it did not meet, where it was published by force."
    )
    metrics: dict[str, Any] = Field(description="From its evaluation report.")
