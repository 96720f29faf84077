"""What the routes work with: the live release, the pipeline, and how items are shown."""

from collections.abc import Awaitable, Callable
from typing import Literal
from urllib.parse import quote

from visrec.config import ServeConfig
from visrec.deployments.live import LiveRelease
from visrec.deployments.schemas import ItemSummary, Reason, Recommendation
from visrec.recommend.pipeline import Pipeline
from visrec.recommend.types import Ranked
from visrec.releases import Release

GraphState = dict[str, Literal["ok", "unavailable"]]


class Service:
    """Everything behind the HTTP interface.

    Attributes:
        live: The release that answers.
        pipeline: Encoder, retriever and ranker.
        config: Limits and defaults.
        graph_state: Asks each deployment whether it is there.
    """

    def __init__(
        self,
        live: LiveRelease,
        pipeline: Pipeline,
        config: ServeConfig,
        graph_state: Callable[[], Awaitable[GraphState]],
    ) -> None:
        self.live = live
        self.pipeline = pipeline
        self.config = config
        self.graph_state = graph_state


def summary(release: Release, item: int, root_path: str) -> ItemSummary:
    """An item as a client sees it."""
    catalogue = release.catalogue
    item_id = catalogue.id_of(item)
    has_image = catalogue.image_rows[item] >= 0
    return ItemSummary(
        id=item_id,
        title=catalogue.title_of(item),
        image=f"{root_path}/v1/items/{quote(item_id, safe='')}/image?v={release.name}" if has_image else None,
        price=catalogue.price_of(item),
        categories=catalogue.categories_of(item),
    )


def recommendations(release: Release, ranked: Ranked, reason: Reason, root_path: str) -> list[Recommendation]:
    """A ranked list as a client sees it."""
    return [
        Recommendation(
            **summary(release, item, root_path).model_dump(), position=position, score=score, reason=reason
        )
        for position, (item, score) in enumerate(
            zip(ranked.items.tolist(), ranked.scores.tolist(), strict=True)
        )
    ]
