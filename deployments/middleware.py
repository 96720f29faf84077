"""ASGI middleware: limits of size, concurrency and time, and headers for browsers.

Plain ASGI, so that nothing is buffered on the way.
"""

import asyncio
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visrec.deployments.problems import OverloadedError, error_response

MAX_JSON_BYTES = 1_000_000
MULTIPART_OVERHEAD = 16_384
"""Bytes that the form around an uploaded picture may add."""
MAX_DEADLINES = 3
"""A request lasts at most so many times the deadline, however slowly its body arrives."""


class BodyLimit:
    """Refuses bodies over a limit with 413 while they arrive: a client that claims a smaller length is cut off too."""

    def __init__(self, app: ASGIApp, *, max_upload_bytes: int, upload_path: str) -> None:
        self._app = app
        self._max_upload_bytes = max_upload_bytes
        self._upload_path = upload_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app with a limited `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].endswith(self._upload_path)
        max_bytes = self._max_upload_bytes if is_upload else MAX_JSON_BYTES
        limit = max_bytes + (MULTIPART_OVERHEAD if is_upload else 0)
        claimed = dict(scope["headers"]).get(b"content-length", b"0")
        received = 0

        async def limited_receive() -> Message:
            nonlocal received
            if claimed.isdigit() and int(claimed) > limit:
                raise HTTPException(413, f"expected at most {max_bytes:,} bytes, got {int(claimed):,}")
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(
                    413, f"expected at most {max_bytes:,} bytes, got more", {"Connection": "close"}
                )
            return message

        await self._app(scope, limited_receive, send)


class EncodedPaths:
    """Routes paths under a prefix as the client sent them, so that an encoded slash is part of an id.

    Servers decode a path before it is routed: without this, `img%2Fimage` and `img/image` are one address. The routes
    decode what they take from the path.
    """

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app on the path as it was sent."""
        prefix = scope.get("root_path", "") + self._prefix
        if scope["type"] == "http" and scope["path"].startswith(prefix):
            sent = scope.get("raw_path", b"").decode("latin-1")
            # A client may encode letters of the prefix too.
            path = sent if sent.startswith(prefix) else quote(scope["path"])
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)


class Admission:
    """Admits a bounded number of requests, lets a bounded number wait, and refuses the others with 503 at once.

    Ray Serve has such bounds too, but its refusals are plain text.
    """

    def __init__(self, app: ASGIApp, *, max_ongoing: int, max_queued: int, exempt: frozenset[str]) -> None:
        self._app = app
        self._places = asyncio.Semaphore(max_ongoing)
        self._max_queued = max_queued
        self._num_queued = 0
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app when a place is free."""
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        if self._places.locked() and self._num_queued >= self._max_queued:
            refusal = error_response(scope["path"], OverloadedError("the ingress's queue is full"))
            await refusal(scope, receive, send)
            return
        self._num_queued += 1
        try:
            await self._places.acquire()
        finally:
            self._num_queued -= 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._places.release()


class Deadline:
    """Answers 504 where the app does not begin its response in time.

    Each part of a body that arrives restarts the clock, but never beyond `MAX_DEADLINES` times the seconds: else
    clients that send a byte now and then would hold their places for ever.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app against the clock."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        now = asyncio.get_running_loop().time
        end = now() + MAX_DEADLINES * self._seconds

        async def receive_and_restart() -> Message:
            message = await receive()
            if not started:
                clock.reschedule(min(now() + self._seconds, end))
            return message

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as clock:
                await self._app(scope, receive_and_restart, send_and_note)
        except TimeoutError as error:
            if started:
                raise
            await error_response(scope["path"], error)(scope, receive, send)


class SafeHeaders:
    """Adds headers that keep browsers from guessing media types and from sending the page's address to other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                ]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
