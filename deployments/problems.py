"""Errors as `application/problem+json` (RFC 9457): every response that is no success has this form.

`PROBLEMS` maps classes of errors to problems. A status of 4xx says that the request must change, 503 and 504 that the
same request may succeed later, 500 that the server is at fault: its log holds the cause.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from visrec.errors import ArtifactError, NotFoundError, PictureError, UnsupportedError, VisrecError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1


class OverloadedError(Exception):
    """All queues of a stage or of the ingress are full, or no replica of a stage is there."""


class StageFailedError(Exception):
    """A replica of a stage died during the request; Ray Serve starts another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemKind:
    """The problem that a class of errors is answered as.

    Attributes:
        status: HTTP status.
        slug: Last part of the problem's type; its title is made of it.
        detail: Text of the problem; None takes the error's message, which the client may read.
        retry: Whether the client is told when to try again.
        log: Whether the error is logged with its cause.
    """

    status: int
    slug: str
    detail: str | None = None
    retry: bool = False
    log: bool = False


_TOO_LARGE = ProblemKind(status=413, slug="too-large")
_TOO_LARGE_CODES = frozenset({"too_large", "too_many_pixels"})
_SERVER_FAULT = ProblemKind(
    status=500,
    slug="internal-error",
    detail="something went wrong on the server; its log says what",
    log=True,
)
PROBLEMS: dict[type[Exception], ProblemKind] = {
    NotFoundError: ProblemKind(status=404, slug="unknown-item"),
    UnsupportedError: ProblemKind(status=409, slug="not-possible-with-this-release"),
    PictureError: ProblemKind(status=422, slug="unreadable-picture"),
    OverloadedError: ProblemKind(
        status=503, slug="busy", detail=f"all places are taken; try again in {RETRY_AFTER_S} s", retry=True
    ),
    StageFailedError: ProblemKind(status=503, slug="stage-failed", retry=True, log=True),
    TimeoutError: ProblemKind(status=504, slug="took-too-long", detail="the answer was not ready in time"),
    ArtifactError: ProblemKind(
        status=500,
        slug="damaged-release",
        detail="the release cannot be read; the server's log says why",
        log=True,
    ),
    VisrecError: _SERVER_FAULT,
    Exception: _SERVER_FAULT,
}
"""The class of an error counts, else the nearest of its base classes."""
_HTTP_SLUGS = {400: "unreadable-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class FieldError(BaseModel):
    """One field of the request that is wrong."""

    field: str = Field(examples=["body.k"])
    message: str = Field(examples=["Input should be greater than or equal to 1"])


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"type": "urn:visrec:problem:unknown-item"}]})

    type: str = Field(
        description="What kind of problem; stable.", examples=["urn:visrec:problem:unknown-item"]
    )
    title: str = Field(description="The kind in words.", examples=["Unknown item"])
    status: int = Field(description="HTTP status.", examples=[404])
    detail: str = Field(
        description="What was expected and what came.", examples=["item 'x' is not in the catalogue"]
    )
    instance: str = Field(description="Path of the request.", examples=["/v1/items/x"])
    errors: list[FieldError] | None = Field(
        None, description="Wrong fields, where the request did not fit its schema."
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)
    for kind in PROBLEMS:
        app.add_exception_handler(kind, _answer)


def problem_of(error: Exception) -> ProblemKind:
    """The problem that an error is answered as.

    Example:
        >>> problem_of(NotFoundError("item 'x' is not in the catalogue")).status
        404
    """
    if isinstance(error, PictureError) and error.code in _TOO_LARGE_CODES:
        return _TOO_LARGE
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def error_response(path: str, error: Exception) -> JSONResponse:
    """The response to a request that ended with an error; logs the error where its problem says so."""
    problem = problem_of(error)
    if problem.log:
        logger.error("error at %s: %s", path, error, exc_info=error)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if problem.retry else None
    return _response(path, problem.status, problem.slug, problem.detail or str(error), headers=headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of these statuses, for a route's `responses`."""
    every = sorted({*statuses, 503})
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in every}


def _answer(request: Request, error: Exception) -> JSONResponse:
    return error_response(request.url.path, error)


def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    slug = _HTTP_SLUGS.get(error.status_code, f"http-{error.status_code}")
    return _response(request.url.path, error.status_code, slug, error.detail, headers=error.headers)


def _answer_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [FieldError(field=".".join(map(str, e["loc"])), message=e["msg"]) for e in error.errors()]
    detail = "; ".join(f"{e.field}: {e.message}" for e in errors)
    return _response(request.url.path, 422, "invalid-request", detail, errors=errors)


def _response(
    path: str,
    status: int,
    slug: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        type=f"urn:visrec:problem:{slug}",
        title=slug.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        instance=path,
        errors=errors,
    )
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)
