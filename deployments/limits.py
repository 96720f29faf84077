"""Bounds that hold before any route runs: size of the body, requests at the same time, time for an answer.

Plain ASGI, so that nothing is buffered on the way.
"""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from visrec.deployments.problems import busy_response, timeout_response

MAX_JSON_BYTES = 1_000_000
MULTIPART_OVERHEAD = 16_384
"""What the form around an uploaded picture may add."""
LONGEST_DEADLINES = 3
"""Deadlines that a request may last in all, however slowly its body comes in."""


class BodyLimit:
    """Refuses bodies over a limit with 413, while they come in: a client that claims less is cut off too."""

    def __init__(self, app: ASGIApp, *, max_upload_bytes: int, upload_path: str) -> None:
        self._app = app
        self._max_upload_bytes = max_upload_bytes
        self._upload_path = upload_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app with a guarded `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].endswith(self._upload_path)
        shown = self._max_upload_bytes if is_upload else MAX_JSON_BYTES
        limit = shown + (MULTIPART_OVERHEAD if is_upload else 0)
        claimed = dict(scope["headers"]).get(b"content-length", b"0")
        received = 0

        async def guarded() -> Message:
            nonlocal received
            if claimed.isdigit() and int(claimed) > limit:
                raise HTTPException(413, f"expected at most {shown:,} bytes, got {int(claimed):,}")
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(
                    413, f"expected at most {shown:,} bytes, got more", {"Connection": "close"}
                )
            return message

        await self._app(scope, guarded, send)


class Admission:
    """Lets a bounded number of requests in and a bounded number wait; refuses the others with 503 at once.

    Ray Serve has such bounds too, but answers them with plain text.
    """

    def __init__(self, app: ASGIApp, *, max_ongoing: int, max_queued: int, exempt: frozenset[str]) -> None:
        self._app = app
        self._places = asyncio.Semaphore(max_ongoing)
        self._max_queued = max_queued
        self._num_queued = 0
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app when there is a place."""
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        if self._places.locked() and self._num_queued >= self._max_queued:
            await busy_response(scope["path"])(scope, receive, send)
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
    """Answers 504 where the app has not begun to answer in time.

    The clock starts anew while a body comes in, but never beyond `LONGEST_DEADLINES` times the seconds: clients that
    send a byte now and then would hold their places for ever.
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
        end = now() + LONGEST_DEADLINES * self._seconds

        async def heard() -> Message:
            message = await receive()
            if not started:
                clock.reschedule(min(now() + self._seconds, end))
            return message

        async def said(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as clock:
                await self._app(scope, heard, said)
        except TimeoutError:
            if started:
                raise
            await timeout_response(scope["path"])(scope, receive, send)
