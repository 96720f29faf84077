"""One clear line for each way in which a config can be wrong."""

import difflib
import re
import types
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from visrec.config.base import Config


def explain(kind: type[Config], error: ValidationError) -> str:
    """The first problem of a validation error as one line: key, expected, got, nearest valid key.

    Further problems are counted, not listed: the first is the one to mend.
    """
    problems = _of_one_branch(kind, error.errors(include_url=False))
    # An unknown key is often the cause of other problems, so it is told first.
    problems.sort(key=lambda p: p["type"] != "extra_forbidden")
    line = _line(kind, problems[0])
    rest = len(problems) - 1
    return line + (f" (and {rest} more problem{'s' if rest > 1 else ''})" if rest else "")


def _of_one_branch(kind: type[Config], problems: list[Any]) -> list[Any]:
    """Where a field takes several shapes, the problems of the shape that was most likely meant."""
    branches: dict[tuple[Any, ...], dict[str, list[Any]]] = {}
    plain: list[Any] = []
    for problem in problems:
        place = _branch_place(kind, problem["loc"])
        if place is None:
            plain.append(problem)
            continue
        branch = str(problem["loc"][place])
        branches.setdefault(problem["loc"][:place], {}).setdefault(branch, []).append(problem)
    for at, found in branches.items():
        nearest: list[Any] = min(found.values(), key=partial(_distance, depth=len(at) + 1))
        plain += nearest
    return plain


def _branch_place(kind: type[BaseModel], location: tuple[Any, ...]) -> int | None:
    """Where in a location pydantic has put the name of a union's branch instead of a field or a list place."""
    current: Any = kind
    for place, step in enumerate(location):
        if isinstance(step, int) or step == "[key]":
            continue
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return place if isinstance(current, list) else None
        if step not in current.model_fields:
            return None
        annotation = current.model_fields[step].annotation
        shapes = _shapes(annotation)
        current = shapes if len(shapes) > 1 else _unwrap(annotation)
    return None


def _shapes(annotation: Any) -> list[Any]:
    """The shapes that a field may take, if any of them is a config."""
    if get_origin(annotation) is Annotated:
        return _shapes(get_args(annotation)[0])
    if get_origin(annotation) not in (Union, types.UnionType):
        return [annotation]
    found = [s for a in get_args(annotation) if a is not type(None) for s in _shapes(a)]
    has_config = any(isinstance(s, type) and issubclass(s, BaseModel) for s in found)
    return found if has_config else [annotation]


def _distance(problems: list[Any], depth: int) -> tuple[int, int]:
    """How far from meant: a plain value against a plain choice is near, a mapping against a choice or a list is not.

    Args:
        problems: Of one shape.
        depth: Steps to the shape itself; deeper problems are those of its parts.
    """
    wrong_kind = any(
        p["type"] in ("model_type", "tuple_type")
        or (p["type"] == "literal_error" and isinstance(p["input"], dict))
        for p in problems
        if len(p["loc"]) == depth
    )
    return int(wrong_kind), len(problems)


def _line(kind: type[Config], problem: Any) -> str:
    place = _branch_place(kind, problem["loc"])
    steps = [part for at, part in enumerate(problem["loc"]) if at != place]
    location = [part for part in steps if part != "[key]"]
    key = ".".join(str(part) for part in location)
    got = _shorten(problem["input"])
    if problem["type"] == "extra_forbidden":
        branch = str(problem["loc"][place]) if place is not None else None
        return _unknown_key(kind, key, location, branch)
    if problem["type"] == "union_tag_invalid":
        tags = problem["ctx"]["expected_tags"]
        return f"{key}.{problem['ctx']['discriminator'].strip(chr(39))}: expected {tags}, got {problem['ctx']['tag']!r}"
    if problem["type"] == "union_tag_not_found":
        return f"{key}: expected a mapping with {problem['ctx']['discriminator']}, got {got}"
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


def _unknown_key(kind: type[Config], key: str, location: list[Any], branch: str | None) -> str:
    valid = sorted(_fields_at(kind, location[:-1], branch))
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


def _fields_at(kind: type[BaseModel], location: list[Any], branch: str | None) -> set[str]:
    """Valid field names of the model that the steps of `location` lead to, in a union through one of its branches."""
    current: Any = kind
    for step in location:
        if isinstance(current, type) and issubclass(current, BaseModel) and step in current.model_fields:
            annotation = current.model_fields[step].annotation
            named = [s for s in _shapes(annotation) if branch is not None and _is_branch(s, branch)]
            current = named[0] if named else _unwrap(annotation)
        elif get_origin(current) is dict:  # the step is one of its keys, which may be any
            current = _unwrap(get_args(current)[1])
    return (
        set(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else set()
    )


def _is_branch(shape: Any, branch: str) -> bool:
    """Whether pydantic means this config: it calls it by its class or by the tag that tells it apart."""
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return False
    tags = [
        get_args(f.annotation) for f in shape.model_fields.values() if get_origin(f.annotation) is Literal
    ]
    return shape.__name__ == branch or (branch,) in tags


def _unwrap(annotation: Any) -> Any:
    """The model inside `X | None` or `tuple[X, ...]`, else the annotation itself."""
    if get_origin(annotation) in (Union, types.UnionType, tuple, list):
        models = [_unwrap(a) for a in get_args(annotation) if a not in (type(None), Ellipsis)]
        return next((m for m in models if isinstance(m, type)), annotation)
    return annotation


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
