"""The web page and the page of the interface: a few fixed files, read once, nothing from other servers."""

import hashlib
from collections.abc import Callable, Coroutine
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response

PAGES = {"/": "index.html", "/docs": "docs.html"}
PARTS = {
    "style.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
# Pictures to search by are previewed from memory (blob:); everything else comes from this server.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def page_routes() -> APIRouter:
    """The routes; reads the files."""
    router = APIRouter(include_in_schema=False)
    folder = files("visrec.deployments") / "page"
    for path, name in PAGES.items():
        content = (folder / name).read_bytes()
        router.add_api_route(path, _file(content, "text/html; charset=utf-8", CONTENT_POLICY))
    for name, media_type in PARTS.items():
        router.add_api_route(f"/page/{name}", _file((folder / name).read_bytes(), media_type, None))
    return router


def _file(
    content: bytes, media_type: str, policy: str | None
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "no-cache",
        **({"Content-Security-Policy": policy} if policy else {}),
    }

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)

    return serve
