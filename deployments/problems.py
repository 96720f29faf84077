"""Errors as `application/problem+json` (RFC 9457): every answer that is no success has this form."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from visrec.errors import NotFoundError, PictureError, VisrecError
from visrec.recommend.pipeline import Busy

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
_TOO_LARGE = frozenset({"too_large", "too_many_pixels"})
_SLUGS = {400: "unreadable-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


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


def problem_response(
    path: str,
    status: int,
    slug: str,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem as a response."""
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


def add_problem_handlers(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(NotFoundError, _not_found)
    app.add_exception_handler(PictureError, _picture)
    app.add_exception_handler(VisrecError, _visrec)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(TimeoutError, _timeout)
    app.add_exception_handler(Exception, _unexpected)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of these statuses, for a route's `responses`."""
    every = sorted({*statuses, 503})
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in every}


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    slug = _SLUGS.get(error.status_code, f"http-{error.status_code}")
    return problem_response(_path(request), error.status_code, slug, error.detail, headers=error.headers)


def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [FieldError(field=".".join(map(str, e["loc"])), message=e["msg"]) for e in error.errors()]
    detail = "; ".join(f"{e.field}: {e.message}" for e in errors)
    return problem_response(_path(request), 422, "invalid-request", detail, errors=errors)


def _not_found(request: Request, error: Exception) -> JSONResponse:
    return problem_response(_path(request), 404, "unknown-item", str(error))


def _picture(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PictureError)
    if error.code in _TOO_LARGE:
        return problem_response(_path(request), 413, "too-large", str(error))
    return problem_response(_path(request), 422, "unreadable-picture", str(error))


def _visrec(request: Request, error: Exception) -> JSONResponse:
    return problem_response(_path(request), 409, "not-possible-with-this-release", str(error))


def _busy(request: Request, error: Exception) -> JSONResponse:
    return busy_response(_path(request))


def busy_response(path: str) -> JSONResponse:
    """The answer to a request for which there is no room."""
    detail = f"all places are taken; try again in {RETRY_AFTER_S} s"
    return problem_response(path, 503, "busy", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _timeout(request: Request, error: Exception) -> JSONResponse:
    return timeout_response(_path(request))


def timeout_response(path: str) -> JSONResponse:
    """The answer to a request that took too long."""
    return problem_response(path, 504, "took-too-long", "the answer was not ready in time")


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    return problem_response(
        _path(request), 500, "internal-error", "something went wrong on the server; its log says what"
    )


def _path(request: Request) -> str:
    return request.url.path
