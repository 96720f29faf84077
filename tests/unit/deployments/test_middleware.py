import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from visrec.deployments.middleware import Admission, Deadline


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.most, self.now = 0, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def test_what_has_no_place_is_refused_at_once_and_the_rest_is_served() -> None:
    async def scenario() -> tuple[list[int], str | None, int, int]:
        slow = Slow()
        app = Admission(slow, max_ongoing=2, max_queued=3, exempt=frozenset({"/health"}))
        async with client(app) as http:
            waiting = [asyncio.create_task(http.get("/")) for _ in range(5)]
            await asyncio.sleep(0.05)
            refused = await http.get("/")
            health = asyncio.create_task(http.get("/health"))
            slow.go.set()
            served = [(await task).status_code for task in waiting]
            return served, refused.headers["retry-after"], refused.status_code, (await health).status_code

    assert asyncio.run(scenario()) == ([200] * 5, "1", 503, 200)


def test_no_more_than_allowed_run_at_the_same_time() -> None:
    async def scenario() -> int:
        slow = Slow()
        async with client(Admission(slow, max_ongoing=2, max_queued=9, exempt=frozenset())) as http:
            waiting = [asyncio.create_task(http.get("/")) for _ in range(6)]
            await asyncio.sleep(0.05)
            slow.go.set()
            await asyncio.gather(*waiting)
            return slow.most

    assert asyncio.run(scenario()) == 2


def test_an_answer_that_is_not_begun_in_time_is_a_problem() -> None:
    async def scenario() -> httpx.Response:
        async with client(Deadline(Slow(), seconds=0.02)) as http:
            return await http.get("/slow")

    response = asyncio.run(scenario())
    assert (response.status_code, response.headers["content-type"]) == (504, "application/problem+json")
    assert response.json()["instance"] == "/slow"


async def reads(scope: Any, receive: Any, send: Any) -> None:
    """Answers when the whole body is there."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def status_of_slow_body(*, num_messages: int, seconds: float) -> int:
    """A message each 0.1 s."""

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(num_messages):
            await asyncio.sleep(0.1)
            yield b"x"

    async def scenario() -> int:
        async with client(Deadline(reads, seconds=seconds)) as http:
            return (await http.post("/", content=slowly())).status_code

    return asyncio.run(scenario())


def test_the_clock_starts_anew_while_a_body_comes_in() -> None:
    assert status_of_slow_body(num_messages=6, seconds=0.4) == 200


def test_a_body_that_never_ends_is_cut_off() -> None:
    assert status_of_slow_body(num_messages=100, seconds=0.2) == 504
