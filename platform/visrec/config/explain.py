"""One clear line for each way in which a config can be wrong."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from visrec.config.base import Config
from visrec.config.keys import configs_in
from visrec.config.written import written_at

_SHAPES = {
    "model_type": "a mapping of settings",
    "dict_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
}
"""In place of pydantic's names for Python's types."""


def explain(kind: type[Config], error: ValidationError, values: Mapping[str, Any]) -> str:
    """The first problem of a validation error as one line: key, expected, got, nearest valid key.

    Further problems are counted, not listed: the first is the one to mend. A scalar of `values` that is from YAML is
    shown as it was written.
    """
    # An unknown key is often the cause of other problems, so it comes first.
    problems = sorted(error.errors(include_url=False), key=lambda p: p["type"] != "extra_forbidden")
    line = _line(kind, problems[0], values)
    rest = len(problems) - 1
    return line + (f" (and {rest} more problem{'s' if rest > 1 else ''})" if rest else "")


def _line(kind: type[Config], problem: Any, values: Mapping[str, Any]) -> str:
    steps, holder = _follow(kind, problem["loc"])
    written = written_at(values, steps)
    got = _shorten(problem["input"]) if written is None else _clip(written.text)
    key, kind_of_problem = ".".join(steps), problem["type"]
    if kind_of_problem == "extra_forbidden":
        valid = sorted(holder.model_fields)
        hint = _nearest(steps[-1], valid)
        return f"{key}: unknown key{hint or '; expected one of ' + ', '.join(valid)}"
    if kind_of_problem == "union_tag_invalid":
        context = problem["ctx"]
        discriminator = context["discriminator"].strip("'")
        return f"{key}.{discriminator}: expected {context['expected_tags']}, got {context['tag']!r}"
    if kind_of_problem == "union_tag_not_found":
        return f"{key}: expected a mapping with {problem['ctx']['discriminator']}, got {got}"
    if kind_of_problem == "missing":
        return f"{key}: expected a value, got nothing"
    if kind_of_problem in _SHAPES:
        return f"{key}: expected {_SHAPES[kind_of_problem]}, got {got}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind_of_problem in ("value_error", "assertion_error"):
        return f"{key}: {message}" if key else message
    expected = message[0].lower() + message[1:]
    expected = expected.removeprefix("input should be ").removeprefix("a valid ")
    expected = re.split(", (?:got|unable to parse) ", expected)[0]  # what came is said below
    hint = _nearest(str(problem["input"]), [a.strip("' ") for a in expected.replace(" or ", ",").split(",")])
    return f"{key}: expected {expected}, got {got}{hint}"


def _follow(kind: type[Config], location: tuple[int | str, ...]) -> tuple[list[str], type[Config]]:
    """The keys of a location as they are written in YAML, and the class in which the last of them was looked up.

    pydantic's locations also hold the tag of each union's member that was chosen, `[key]` after the key of a
    mapping, and our tag `[name]` for the members of a union that are plain names.
    """
    steps: list[str] = []
    holder, members = kind, dict[str, type[Config]]()
    for step in location:
        name = str(step)
        if name in members:  # the tag of a union
            holder, members = members[name], {}
        elif not name.startswith("["):
            steps.append(name)
            if name in holder.model_fields:
                members = configs_in(holder.model_fields[name].annotation)
                holder = next(iter(members.values()), holder) if len(members) == 1 else holder
    return steps, holder


def _nearest(word: str, valid: list[str]) -> str:
    close = difflib.get_close_matches(word, [v for v in valid if v], n=1, cutoff=0.6)
    if not close or close[0] == word:
        return ""
    others = [v for v in valid if v != close[0]]
    listed = f"; the others are {', '.join(others)}" if 0 < len(others) <= 12 else ""
    return f"; did you mean {close[0]!r}?{listed}"


def _shorten(value: Any) -> str:
    return _clip(repr(value))


def _clip(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
