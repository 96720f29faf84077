"""Check or write the table of all keys in docs/configuration.md, which is generated from the config classes.

Without an argument: check, exit code 1 where the page is out of date. With --write: write the page.
"""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from visrec.config import WORKLOADS, Config

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
BEGIN = "<!-- begin: made by scripts/config_reference.py -->"
END = "<!-- end: made by scripts/config_reference.py -->"
HEAD = "| key | type | default | meaning |\n|---|---|---|---|"
SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def reference() -> str:
    """The tables of all sections, as Markdown, in the order in which the commands need them."""
    fields = {n: f for kind in WORKLOADS.values() for n, f in kind.model_fields.items()}
    top, sections = [], []
    for name, field in fields.items():
        inner = _config_in(field.annotation)
        if inner is None:
            top.append(_row(name, field))
        else:
            sections.append(f"### `{name}`\n\n{inner.__doc__}\n\n{HEAD}\n" + "\n".join(_rows(name, inner)))
    return f"### Top level\n\n{HEAD}\n" + "\n".join(top) + "\n\n" + "\n\n".join(sections)


def _rows(prefix: str, kind: type[Config]) -> Iterator[str]:
    alike: dict[type[Config], list[str]] = {}
    for name, field in kind.model_fields.items():
        if inner := _config_in(field.annotation):
            alike.setdefault(inner, []).append(name)
    for name, field in kind.model_fields.items():
        inner = _config_in(field.annotation)
        shapes = list(dict.fromkeys(_configs_in(field.annotation)))
        if len(shapes) == 1 and _one_or_several(field.annotation):
            yield _row(f"{prefix}.{name}", field)
        if inner is None or len(shapes) > 1:
            yield _row(f"{prefix}.{name}", field)
            for shape in shapes:
                yield from _rows(f"{prefix}.{name}({_label(shape)})", shape)
        elif alike[inner][0] == name:  # siblings of one class share their rows
            step = name if len(alike[inner]) == 1 else "{" + ",".join(alike[inner]) + "}"
            origin = get_origin(field.annotation)
            within = ".N" if origin is tuple else ".KEY" if origin is dict else ""
            yield from _rows(f"{prefix}.{step}{within}", inner)


def _row(key: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    cells = [f"`{key}`", _type(field), f"`{_plain(field.get_default(call_default_factory=True))}`", meaning]
    return "| " + " | ".join(c.replace("|", r"\|") for c in cells) + " |"


def _type(field: FieldInfo) -> str:
    limits = [
        f"{sign} {_plain(getattr(rule, name))}"
        for rule in field.metadata
        for name, sign in SIGNS.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join([_name(field.annotation), *limits])


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"`{value}`" for value in arguments)
    if origin is Annotated:
        return _name(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return f"({_label(annotation)})"
    if _one_or_several(annotation):
        return "mapping | list of mappings"
    if origin in (Union, types.UnionType):
        return " | ".join("null" if a is type(None) else _name(a) for a in arguments)
    if origin is tuple:
        return f"list of {_name(arguments[0])}"
    if origin is dict:
        return f"mapping of {_name(arguments[0])} to {_name(arguments[1])}"
    return {str: "text", int: "integer", float: "number", bool: "true | false", Any: "any"}[annotation]


def _config_in(annotation: Any) -> type[Config] | None:
    """The config class that a field holds, alone or in a list."""
    candidates = (annotation, *get_args(annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, Config)), None)


def _configs_in(annotation: Any) -> list[type[Config]]:
    """All config classes among the shapes of a field."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return [annotation]
    return [kind for inner in get_args(annotation) for kind in _configs_in(inner)]


def _one_or_several(annotation: Any) -> bool:
    """Whether a field takes a config of a class, or a list of such."""
    inner = _config_in(annotation)
    return inner is not None and any(
        get_origin(shape) is tuple and get_args(shape)[0] is inner for shape in get_args(annotation)
    )


def _label(kind: type[Config]) -> str:
    """Name of one of several shapes of a field: its `kind`, else its first key."""
    choices = get_args(kind.model_fields["kind"].annotation) if "kind" in kind.model_fields else ()
    return str(choices[0]) if choices else next(iter(kind.model_fields))


def _plain(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Config):
        return "{}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_plain(v) for v in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def main(arguments: list[str]) -> int:
    """Check or write; the exit code is 1 where the page is out of date."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    fresh = f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"
    if arguments == ["--write"]:
        PAGE.write_text(fresh, encoding="utf-8")
        print(f"{PAGE.name} written")
    elif page != fresh:
        print(f"docs/{PAGE.name} is out of date; run `make docs`")
        return 1
    else:
        print(f"docs/{PAGE.name} is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
