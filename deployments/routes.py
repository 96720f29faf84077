"""Routes for the catalogue: browse, look up, look at."""

import asyncio
import hashlib
import time
from dataclasses import asdict
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, File, Header, Query, Request, Response, UploadFile
from numpy.typing import NDArray

from visrec.deployments.problems import documented
from visrec.deployments.schemas import (
    Category,
    Health,
    ItemFacts,
    ItemPage,
    K,
    Reason,
    RecommendationList,
    RecommendationRequest,
    ReleaseFacts,
    to_milliseconds,
)
from visrec.deployments.service import Service, recommendations, summary
from visrec.errors import NotFoundError
from visrec.recommend.pipeline import RecommendOptions
from visrec.recommend.types import Event
from visrec.releases import Release

UPLOAD_PATH = "/v1/search/image"
_MINUTE_MS = 60_000


def recommendation_routes(service: Service) -> APIRouter:
    """The routes, bound to a service."""
    router = APIRouter(tags=["recommend"])

    @router.post("/v1/recommendations", responses=documented(404, 413, 422))
    async def recommend(body: RecommendationRequest, request: Request) -> RecommendationList:
        """Items that a user may like: by their id, by a given history, by both, or by popularity."""
        release = service.live.release
        now = int(time.time() * 1000)
        # Without times, as if one event a minute had happened until now: the user tower reads the gaps.
        events = [
            Event(
                item=release.catalogue.index_of(event.item_id),
                kind=event.kind,
                time=to_milliseconds(event.time, now - (len(body.history) - 1 - place) * _MINUTE_MS),
            )
            for place, event in enumerate(body.history)
        ]
        options = RecommendOptions(
            k=body.k, rules=body.filters.rules(), diversity=body.diversity, exclude_seen=body.exclude_seen
        )
        ranked, source = await service.pipeline.for_user(release.name, body.user_id, events, options)
        reason: Reason = "popular" if source == "popular" else "personal"
        items = recommendations(release, ranked, reason, request.scope["root_path"])
        return RecommendationList(release=release.name, source=source, items=items)

    @router.get("/v1/items/{item_id:path}/similar", responses=documented(404, 422))
    async def similar(item_id: str, request: Request, k: Annotated[K, Query()] = 10) -> RecommendationList:
        """Items that look like one of the catalogue."""
        release = service.live.release
        item = release.catalogue.index_of(item_id)
        ranked = await service.pipeline.similar(release.name, item, RecommendOptions(k=k))
        items = recommendations(release, ranked, "similar", request.scope["root_path"])
        return RecommendationList(release=release.name, source="item", items=items)

    @router.post(UPLOAD_PATH, responses=documented(409, 413, 422))
    async def search_by_picture(
        file: Annotated[UploadFile, File(description="JPEG, PNG, WebP, GIF, BMP or TIFF.")],
        request: Request,
        k: Annotated[K, Query()] = 10,
    ) -> RecommendationList:
        """Items that look like an uploaded picture."""
        release = service.live.release
        ranked = await service.pipeline.by_picture(release.name, await file.read(), RecommendOptions(k=k))
        items = recommendations(release, ranked, "similar", request.scope["root_path"])
        return RecommendationList(release=release.name, source="picture", items=items)

    return router


MAX_PAGE = 200
Order = Literal["catalogue", "popular", "shuffled"]
_FOREVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


def item_routes(service: Service) -> APIRouter:
    """The routes, bound to a service."""
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
        found = await asyncio.to_thread(_find, release, q, category, order, seed)
        items = [
            summary(release, item, request.scope["root_path"])
            for item in found[offset : offset + limit].tolist()
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

    @router.get("/v1/items/{item_id:path}/image", responses=_image_responses(), response_class=Response)
    async def image(
        item_id: str,
        v: Annotated[
            str | None, Query(description="Release; lets a browser keep the picture for good.")
        ] = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The picture of an item."""
        release = service.live.release
        caching = _FOREVER if v == release.name else _AN_HOUR
        return _picture(release, item_id, caching, if_none_match)

    @router.get("/v1/items/{item_id:path}", responses=documented(404, 422))
    async def facts(item_id: str, request: Request) -> ItemFacts:
        """The facts of an item."""
        release = service.live.release
        item = release.catalogue.index_of(item_id)
        short = summary(release, item, request.scope["root_path"])
        available = bool(release.catalogue.available[item])
        return ItemFacts(**short.model_dump(), available=available, release=release.name)

    return router


def _picture(release: Release, item_id: str, caching: str, if_none_match: str | None) -> Response:
    row = int(release.catalogue.image_rows[release.catalogue.index_of(item_id)])
    if row < 0:
        raise NotFoundError(f"item {item_id!r} has no picture")
    jpeg = release.thumbnails.read(row)
    etag = f'"{hashlib.sha256(jpeg).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Cache-Control": caching}
    if if_none_match is not None and etag in (tag.strip() for tag in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)


def _find(
    release: Release, q: str | None, category: str | None, order: Order, seed: int
) -> NDArray[np.int32]:
    catalogue = release.catalogue
    fits = np.zeros(len(catalogue), np.bool_)
    fits[catalogue.search(q, category)] = True
    fits &= catalogue.available
    everything = _in_order(release, order, seed)
    return everything[fits[everything]]


def _in_order(release: Release, order: Order, seed: int) -> NDArray[np.int32]:
    num_items = len(release.catalogue)
    if order == "popular":
        return release.popularity.items
    return _shuffled(num_items, seed) if order == "shuffled" else np.arange(num_items, dtype=np.int32)


@lru_cache(maxsize=16)
def _shuffled(num_items: int, seed: int) -> NDArray[np.int32]:
    return np.random.default_rng(seed).permutation(num_items).astype(np.int32)


def _image_responses() -> dict[int | str, dict[str, Any]]:
    picture = {"description": "The picture.", "content": {"image/jpeg": {}}}
    return {200: picture, 304: {"description": "Not modified"}, **documented(404, 422)}


HEALTH_PATH = "/v1/health"


def status_routes(service: Service) -> APIRouter:
    """The routes, bound to a service."""
    router = APIRouter(tags=["status"])

    @router.get(HEALTH_PATH, responses={503: {"description": "Not ready.", "model": Health}})
    async def health(response: Response) -> Health:
        """Whether the server lives, and whether every deployment of the graph answers."""
        graph = await service.graph_state()
        ready = all(state == "ok" for state in graph.values())
        response.status_code = 200 if ready else 503
        response.headers["Cache-Control"] = "no-store"
        return Health(
            ready=ready, release=service.live.release.name, graph=graph, trouble=service.live.trouble
        )

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
            metrics=release.metrics,
        )

    return router
