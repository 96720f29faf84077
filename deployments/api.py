"""The HTTP interface as a FastAPI app, with all routes, errors and limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI

from visrec import __version__
from visrec.deployments.middleware import Admission, BodyLimit, Deadline, EncodedPaths, SafeHeaders
from visrec.deployments.page import page_routes
from visrec.deployments.problems import Problem, add_problem_handlers
from visrec.deployments.routes import HEALTH_PATH, ITEM_PATHS, UPLOAD_PATH, Service, create_routers

DESCRIPTION = (
    "Recommends pictures by what a user did, by an item, or by a picture. Errors are problem+json (RFC 9457)."
)


def create_api(service: Service) -> FastAPI:
    """The app around a service; while it runs, it follows the current release."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(service.live.follow(service.config.release_poll_s))
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    app = FastAPI(
        title="visrec",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load scripts from other servers
        redoc_url=None,
    )
    for router in (*create_routers(service), page_routes()):
        app.include_router(router)
    add_problem_handlers(app)
    _describe_problems(app)
    config = service.config
    # From the inside out: time in the queue counts against the deadline.
    app.add_middleware(EncodedPaths, prefix=ITEM_PATHS)
    app.add_middleware(BodyLimit, max_upload_bytes=config.max_upload_bytes, upload_path=UPLOAD_PATH)
    app.add_middleware(
        Admission,
        max_ongoing=config.ingress.max_ongoing_requests,
        max_queued=config.ingress.max_queued_requests,
        exempt=frozenset({HEALTH_PATH}),
    )
    app.add_middleware(Deadline, seconds=config.request_timeout_s)
    app.add_middleware(SafeHeaders)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Add the schema of problems, to which the routes refer by name, to the OpenAPI description."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = original()
            schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            parts = described.setdefault("components", {}).setdefault("schemas", {})
            parts |= {**schema.pop("$defs", {}), "Problem": schema}
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
