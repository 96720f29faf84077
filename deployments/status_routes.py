"""Routes that say how the server is, and what it serves."""

from fastapi import APIRouter, Response

from visrec.deployments.problems import documented
from visrec.deployments.schemas import Health, ReleaseFacts
from visrec.deployments.service import Service

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
            index=release.facts["index"],
            has_pictures=release.has_pictures,
            images=release.facts["images"],
            metrics=release.metrics,
        )

    return router
