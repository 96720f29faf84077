"""Routes that recommend: for a user, for an item, for a picture."""

import time
from typing import Annotated

from fastapi import APIRouter, File, Query, Request, UploadFile

from visrec.deployments.messages import Event
from visrec.deployments.pipeline import Wish
from visrec.deployments.problems import documented
from visrec.deployments.schemas import K, Reason, RecommendationList, RecommendationRequest, to_milliseconds
from visrec.deployments.service import Service, recommendations

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
                release.catalogue.index_of(event.item_id),
                event.kind,
                to_milliseconds(event.time, now - (len(body.history) - 1 - place) * _MINUTE_MS),
            )
            for place, event in enumerate(body.history)
        ]
        wish = Wish(body.k, body.filters.rules(), body.diversity, body.exclude_seen)
        ranked, source = await service.pipeline.for_user(release.name, body.user_id, events, wish)
        reason: Reason = "popular" if source == "popular" else "personal"
        items = recommendations(release, ranked, reason, request.scope["root_path"])
        return RecommendationList(release=release.name, source=source, items=items)

    @router.get("/v1/items/{item_id:path}/similar", responses=documented(404, 422))
    async def similar(item_id: str, request: Request, k: Annotated[K, Query()] = 10) -> RecommendationList:
        """Items that look like one of the catalogue."""
        release = service.live.release
        item = release.catalogue.index_of(item_id)
        ranked = await service.pipeline.similar(release.name, item, Wish(k))
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
        ranked = await service.pipeline.by_picture(release.name, await file.read(), Wish(k))
        items = recommendations(release, ranked, "similar", request.scope["root_path"])
        return RecommendationList(release=release.name, source="picture", items=items)

    return router
