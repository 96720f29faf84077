"""One clear line for each way in which a config can be wrong."""

import difflib
import re
import types
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from visrec.config.base import Config


def explain(kind: type[Config], error: ValidationError) -> str:
    """The first problem of a validation error as one line: key, expected, got, nearest valid key.

    Further problems are counted, not listed: the first is the one to mend.
    """
    problems = error.errors(include_url=False)
    # An unknown key is often the cause of other problems, so it is told first.
    problems.sort(key=lambda p: p["type"] != "extra_forbidden")
    line = _line(kind, problems[0])
    rest = len(problems) - 1
    return line + (f" (and {rest} more problem{'s' if rest > 1 else ''})" if rest else "")


def _line(kind: type[Config], problem: Any) -> str:
    location = [part for part in problem["loc"] if part != "[key]"]
    key = ".".join(str(part) for part in location)
    got = _shorten(problem["input"])
    if problem["type"] == "extra_forbidden":
        return _unknown_key(kind, key, location)
    if problem["type"] == "missing":
        return f"{key}: expected a value, got nothing"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if problem["type"] in ("value_error", "assertion_error"):
        return f"{key}: {message}" if key else message
    expected = message[0].lower() + message[1:]
    expected = expected.removeprefix("input should be ").removeprefix("a valid ")
    expected = re.split(", (?:got|unable to parse) ", expected)[0]  # what came is said below
    hint = _nearest(str(problem["input"]), [a.strip("' ") for a in expected.replace(" or ", ",").split(",")])
    return f"{key}: expected {expected}, got {got}{hint}"


def _unknown_key(kind: type[Config], key: str, location: list[Any]) -> str:
    valid = sorted(_fields_at(kind, location[:-1]))
    hint = _nearest(str(location[-1]), valid)
    return (
        f"{key}: unknown key; expected one of {', '.join(valid)}{hint}"
        if not hint
        else f"{key}: unknown key{hint}"
    )


def _nearest(word: str, valid: list[str]) -> str:
    close = difflib.get_close_matches(word, [v for v in valid if v], n=1, cutoff=0.6)
    if not close or close[0] == word:
        return ""
    others = [v for v in valid if v != close[0]]
    listed = f"; the others are {', '.join(others)}" if 0 < len(others) <= 12 else ""
    return f"; did you mean {close[0]!r}?{listed}"


def _fields_at(kind: type[BaseModel], location: list[Any]) -> set[str]:
    """Valid field names of the model that the steps of `location` lead to."""
    current: Any = kind
    for step in location:
        if isinstance(current, type) and issubclass(current, BaseModel) and step in current.model_fields:
            current = _unwrap(current.model_fields[step].annotation)
    return (
        set(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else set()
    )


def _unwrap(annotation: Any) -> Any:
    """The model inside `X | None` or `tuple[X, ...]`, else the annotation itself."""
    if get_origin(annotation) in (Union, types.UnionType, tuple, list):
        models = [_unwrap(a) for a in get_args(annotation) if a not in (type(None), Ellipsis)]
        return next((m for m in models if isinstance(m, type)), annotation)
    return annotation


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
