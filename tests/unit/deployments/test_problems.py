"""Errors over HTTP: which are the client's, which the server's, and which may be tried again."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from visrec.deployments.problems import OverloadedError, StageFailedError, add_problem_handlers
from visrec.errors import (
    ArtifactError,
    ClusterError,
    NotFoundError,
    PictureError,
    UnsupportedError,
    VisrecError,
)

# Importing Ray Serve warns of its own use of pydantic.
pytestmark = pytest.mark.filterwarnings("ignore:Using extra keyword arguments on `Field`")

INTERNAL = "something went wrong on the server; its log says what"


def answer_to(error: Exception) -> httpx.Response:
    """Response of an app whose only route raises the error."""
    app = FastAPI()
    add_problem_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/")

    return asyncio.run(call())


@pytest.mark.parametrize(
    ("error", "status", "slug", "detail", "logged"),
    [
        (NotFoundError("no item 'x'"), 404, "unknown-item", "no item 'x'", False),
        (UnsupportedError("no pixels"), 409, "not-possible-with-this-release", "no pixels", False),
        (PictureError("damaged", code="truncated"), 422, "unreadable-picture", "damaged", False),
        (PictureError("6 MB", code="too_large"), 413, "too-large", "6 MB", False),
        (PictureError("9 x 9", code="too_many_pixels"), 413, "too-large", "9 x 9", False),
        (OverloadedError("full"), 503, "busy", "all places are taken; try again in 1 s", False),
        (StageFailedError("it died; retry"), 503, "stage-failed", "it died; retry", True),
        (TimeoutError(), 504, "took-too-long", "the answer was not ready in time", False),
        (
            ArtifactError("/srv/releases/1 is damaged"),
            500,
            "damaged-release",
            "the release cannot be read; the server's log says why",
            True,
        ),
        (ClusterError("/srv is full"), 500, "internal-error", INTERNAL, True),
        (VisrecError("/srv"), 500, "internal-error", INTERNAL, True),
        (ValueError("/srv"), 500, "internal-error", INTERNAL, True),
    ],
)
def test_each_class_of_errors_has_its_problem(
    error: Exception, status: int, slug: str, detail: str, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "visrec.deployments.problems"):
        response = answer_to(error)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    body = response.json()
    assert (body["type"], body["detail"]) == (f"urn:visrec:problem:{slug}", detail)
    assert (response.headers.get("retry-after") == "1") == (status == 503)
    assert [record.exc_info is not None for record in caplog.records] == [True] * logged


def translated(raised: BaseException) -> BaseException:
    """The error that a stage raises where the reply of its replica ends with `raised`."""
    from visrec.deployments.remote_stage import translated as reply_of

    async def reply() -> None:
        raise raised

    with pytest.raises(Exception) as caught:
        asyncio.run(reply_of("ranker", reply()))
    return caught.value


def raised_in_replica(cause: Exception) -> Exception:
    from ray.exceptions import RayTaskError

    error: Exception = RayTaskError("call", "Traceback ...", cause).as_instanceof_cause()
    return error


def crashes() -> list[Any]:
    from ray.exceptions import ActorDiedError, ActorUnavailableError, WorkerCrashedError
    from ray.serve.exceptions import DeploymentUnavailableError

    died = [ActorDiedError(), ActorUnavailableError("lost", None), WorkerCrashedError()]
    return [
        *died,
        DeploymentUnavailableError("Ranker"),
    ]  # the last: a crash loop, Ray has given the deployment up


def refusals() -> list[Any]:
    from ray.serve.exceptions import BackPressureError, ReplicaUnavailableError

    return [BackPressureError(9, 8), ReplicaUnavailableError("r1")]


@pytest.mark.parametrize(
    ("errors", "expected", "message"),
    [
        (crashes, StageFailedError, "the ranker stage failed; retry"),
        (refusals, OverloadedError, "the ranker stage has no free replica"),
    ],
)
def test_a_crashed_replica_is_not_taken_for_load(
    errors: Callable[[], list[Exception]], expected: type[Exception], message: str
) -> None:
    for error in errors():
        result = translated(error)
        assert type(result) is expected
        assert str(result) == message
        assert result.__cause__ is error


def test_an_error_of_visrec_in_a_replica_is_raised_as_itself() -> None:
    cause = PictureError("too large", code="too_large")
    assert translated(raised_in_replica(cause)) is cause


def test_another_error_in_a_replica_is_a_fault_of_the_server() -> None:
    error = translated(raised_in_replica(ZeroDivisionError("division by zero")))
    assert isinstance(error, ZeroDivisionError)
    assert answer_to(error).status_code == 500
