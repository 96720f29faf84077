"""Routes of the HTTP interface: recommendations, the catalogue, status."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import numpy as np
from fastapi import APIRouter, Depends, File, Header, Path, Query, Request, Response, UploadFile
from numpy.typing import NDArray

from visrec.config import ServeConfig
from visrec.data.schemas import MAX_ID_BYTES
from visrec.deployments.live import LiveRelease
from visrec.deployments.problems import documented
from visrec.deployments.schemas import (
    Category,
    Health,
    ItemFacts,
    ItemPage,
    ItemSummary,
    K,
    RecommendationList,
    RecommendationRequest,
    ReleaseFacts,
)
from visrec.errors import NotFoundError
from visrec.recommend.lists import Item
from visrec.recommend.pipeline import Pipeline
from visrec.recommend.types import RecommendOptions
from visrec.releases import Release

UPLOAD_PATH = "/v1/search/image"
HEALTH_PATH = "/v1/health"
ITEM_PATHS = "/v1/items/"
"""Paths that hold an item id, and reach the routes as they were sent."""
MAX_PAGE = 200
Order = Literal["catalogue", "popular", "shuffled"]
GraphState = dict[str, Literal["ok", "unavailable"]]
_FOREVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


def _decode(item_id: Annotated[str, Path(description="Percent-encoded, slashes too.")]) -> str:
    return unquote(item_id)


ItemIdInPath = Annotated[str, Depends(_decode)]
PinnedRelease = Annotated[str | None, Query(description="Release; lets a browser keep the picture for good.")]
ItemIdInQuery = Annotated[str, Query(alias="id", min_length=1, max_length=MAX_ID_BYTES)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """The server behind the routes.

    Attributes:
        live: The live release.
        pipeline: Encoder, retriever and ranker.
        config: Limits and defaults.
        graph_state: Whether each deployment of the graph answers.
    """

    live: LiveRelease
    pipeline: Pipeline
    config: ServeConfig
    graph_state: Callable[[], Awaitable[GraphState]]


def create_routers(service: Service) -> tuple[APIRouter, ...]:
    """All routes, bound to a service."""
    return (
        _recommendation_routes(service),
        _catalogue_routes(service),
        _item_routes(service),
        _status_routes(service),
    )


def _recommendation_routes(service: Service) -> APIRouter:
    router = APIRouter(tags=["recommend"])

    @router.post("/v1/recommendations", responses=documented(413, 422))
    async def recommend(body: RecommendationRequest, request: Request) -> RecommendationList:
        """Items that a user may like: by their id, by a given history, by both, or by popularity."""
        found = await service.pipeline.recommend(
            service.live.release, body.user_id, body.events(), body.options()
        )
        return RecommendationList.of(found, request.scope["root_path"])

    @router.get("/v1/items/{item_id:path}/similar", responses=documented(404, 422))
    async def similar(
        item_id: ItemIdInPath, request: Request, k: Annotated[K, Query()] = 10
    ) -> RecommendationList:
        """Items that look like one of the catalogue."""
        found = await service.pipeline.similar(service.live.release, item_id, RecommendOptions(k=k))
        return RecommendationList.of(found, request.scope["root_path"])

    @router.get("/v1/item/similar", responses=documented(404, 422))
    async def similar_by_query(
        item_id: ItemIdInQuery, request: Request, k: Annotated[K, Query()] = 10
    ) -> RecommendationList:
        """The same for an id as a query parameter: for `.` and `..`, which browsers take out of paths."""
        return await similar(item_id, request, k)

    @router.post(UPLOAD_PATH, responses=documented(409, 413, 422))
    async def search_by_picture(
        file: Annotated[UploadFile, File(description="JPEG, PNG, WebP, GIF, BMP or TIFF.")],
        request: Request,
        k: Annotated[K, Query()] = 10,
    ) -> RecommendationList:
        """Items that look like an uploaded picture."""
        release = service.live.release
        found = await service.pipeline.search(release, await file.read(), RecommendOptions(k=k))
        return RecommendationList.of(found, request.scope["root_path"])

    return router


def _catalogue_routes(service: Service) -> APIRouter:
    router = APIRouter(tags=["catalogue"])

    @router.get("/v1/items", responses=documented(422))
    async def browse(
        request: Request,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        category: Annotated[str | None, Query(max_length=512)] = None,
        q: Annotated[str | None, Query(max_length=200, description="Words of title, category or id.")] = None,
        order: Order = "catalogue",
        seed: Annotated[int, Query(ge=0, lt=2**31, description="Draws the order `shuffled`.")] = 0,
    ) -> ItemPage:
        """A stretch of the available catalogue."""
        release = service.live.release
        found = await asyncio.to_thread(_find_items, release, q, category, order, seed)
        items = [
            ItemSummary.of(Item(index=index, release=release), request.scope["root_path"])
            for index in found[offset : offset + limit].tolist()
        ]
        return ItemPage(release=release.name, total=len(found), offset=offset, items=items)

    @router.get("/v1/categories", responses=documented())
    async def categories() -> list[Category]:
        """All categories, those with most items first."""
        catalogue = service.live.release.catalogue
        pairs = zip(catalogue.category_names, catalogue.category_counts.tolist(), strict=True)
        return [
            Category(name=name, num_items=num) for name, num in sorted(pairs, key=lambda p: (-p[1], p[0]))
        ]

    return router


def _item_routes(service: Service) -> APIRouter:
    router = APIRouter(tags=["catalogue"])

    @router.get("/v1/items/{item_id:path}/image", responses=_image_responses(), response_class=Response)
    async def image(
        item_id: ItemIdInPath, v: PinnedRelease = None, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        """The picture of an item."""
        release = service.live.release
        caching = _FOREVER if v == release.name else _AN_HOUR
        return _image_response(Item.find(release, item_id), caching, if_none_match)

    @router.get("/v1/items/{item_id:path}", responses=documented(404, 422))
    async def facts(item_id: ItemIdInPath, request: Request) -> ItemFacts:
        """The facts of an item."""
        item = Item.find(service.live.release, item_id)
        return ItemFacts.of(
            item, request.scope["root_path"], available=item.available, release=item.release.name
        )

    @router.get("/v1/item/image", responses=_image_responses(), response_class=Response)
    async def image_by_query(
        item_id: ItemIdInQuery, v: PinnedRelease = None, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        """The picture of an item, by its id as a query parameter."""
        return await image(item_id, v, if_none_match)

    @router.get("/v1/item", responses=documented(404, 422))
    async def facts_by_query(item_id: ItemIdInQuery, request: Request) -> ItemFacts:
        """The facts of an item, by its id as a query parameter."""
        return await facts(item_id, request)

    return router


def _status_routes(service: Service) -> APIRouter:
    router = APIRouter(tags=["status"])

    @router.get(HEALTH_PATH, responses={503: {"description": "Not ready.", "model": Health}})
    async def health(response: Response) -> Health:
        """Whether the server lives, and whether every deployment of the graph answers."""
        graph = await service.graph_state()
        ready = all(state == "ok" for state in graph.values())
        response.status_code = 200 if ready else 503
        response.headers["Cache-Control"] = "no-store"
        live = service.live
        return Health(ready=ready, release=live.release.name, graph=graph, trouble=live.last_error)

    @router.get("/v1/release", responses=documented())
    async def release() -> ReleaseFacts:
        """The release that answers: where it comes from, and how good it was measured to be."""
        release = service.live.release
        manifest = release.artifact.manifest
        return ReleaseFacts(
            name=release.name,
            created_at=manifest.created_at,
            parents=manifest.parents,
            counts=manifest.counts,
            index=release.facts.index,
            has_pictures=release.has_pictures,
            images=asdict(release.facts.images),
            forced=release.facts.forced,
            metrics=release.metrics,
        )

    return router


def _find_items(
    release: Release, text: str | None, category: str | None, order: Order, seed: int
) -> NDArray[np.int32]:
    """Indices of the available items that match text and category, in the order."""
    catalogue = release.catalogue
    matches_I = np.zeros(len(catalogue), np.bool_)
    matches_I[catalogue.search(text, category)] = True
    matches_I &= catalogue.available
    ordered_I = _all_items(release, order, seed)
    return ordered_I[matches_I[ordered_I]]


def _all_items(release: Release, order: Order, seed: int) -> NDArray[np.int32]:
    num_items = len(release.catalogue)
    if order == "popular":
        return release.popularity.items
    return _shuffled(num_items, seed) if order == "shuffled" else np.arange(num_items, dtype=np.int32)


@lru_cache(maxsize=16)
def _shuffled(num_items: int, seed: int) -> NDArray[np.int32]:
    return np.random.default_rng(seed).permutation(num_items).astype(np.int32)


def _image_response(item: Item, caching: str, if_none_match: str | None) -> Response:
    jpeg = item.image
    if jpeg is None:
        raise NotFoundError(f"item {item.id!r} has no picture")
    etag = f'"{hashlib.sha256(jpeg).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Cache-Control": caching}
    if if_none_match is not None and etag in (tag.strip() for tag in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)


def _image_responses() -> dict[int | str, dict[str, Any]]:
    picture = {"description": "The picture.", "content": {"image/jpeg": {}}}
    return {200: picture, 304: {"description": "Not modified"}, **documented(404, 422)}
