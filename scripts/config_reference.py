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
from visrec.config.keys import configs_in
from visrec.config.paths import PathMarker

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
BEGIN = "<!-- begin: made by scripts/config_reference.py -->"
END = "<!-- end: made by scripts/config_reference.py -->"
HEAD = "| key | type | default | meaning |\n|---|---|---|---|"
SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
TYPES = {str: "text", int: "integer", float: "number", bool: "true | false", Any: "any", type(None): "null"}


def reference() -> str:
    """The tables of all sections, as Markdown, in the order in which the commands need them."""
    fields = {n: f for kind in WORKLOADS.values() for n, f in kind.model_fields.items()}
    top: list[str] = []
    sections: list[str] = []
    renamed: list[str] = []
    for name, field in fields.items():
        classes = list(configs_in(field.annotation).values())
        if not classes:
            top.append(_row(name, field))
            continue
        sections.append(
            f"### `{name}`\n\n{classes[0].__doc__}\n\n{HEAD}\n" + "\n".join(_rows(name, classes[0]))
        )
        renamed += _renamed(name, classes[0])
    former = "### Renamed keys\n\nThe former names are still read, with a warning.\n\n| former | now |\n|---|---|\n"
    parts = [f"### Top level\n\n{HEAD}\n" + "\n".join(top), *sections, former + "\n".join(renamed)]
    return "\n\n".join(parts)


def _rows(prefix: str, kind: type[Config]) -> Iterator[str]:
    classes = {name: _distinct(field) for name, field in kind.model_fields.items()}
    for name, field in kind.model_fields.items():
        key, inner = f"{prefix}.{name}", classes[name]
        if len(inner) != 1 or _one_or_several(field):
            yield _row(key, field)
        if len(inner) > 1:
            for shape in inner:
                yield from _rows(f"{key}({_label(shape)})", shape)
        elif inner:
            alike = [other for other, found in classes.items() if found == inner]  # siblings share their rows
            if alike[0] == name:
                step = name if len(alike) == 1 else "{" + ",".join(alike) + "}"
                yield from _rows(f"{prefix}.{step}{_within(field)}", inner[0])


def _renamed(prefix: str, kind: type[Config]) -> Iterator[str]:
    for former, name in kind.renamed_keys.items():
        yield f"| `{prefix}.{former}` | `{name}` |"
    for name, field in kind.model_fields.items():
        for inner in _distinct(field):
            yield from _renamed(f"{prefix}.{name}{_within(field)}", inner)


def _distinct(field: FieldInfo) -> list[type[Config]]:
    """The config classes that a field may hold."""
    return list(dict.fromkeys(configs_in(field.annotation).values()))


def _within(field: FieldInfo) -> str:
    """The step from a field to its elements: N for a list place, KEY for the key of a mapping."""
    origin = get_origin(field.annotation)
    return ".N" if origin is tuple else ".KEY" if origin is dict else ""


def _one_or_several(field: FieldInfo) -> bool:
    """Whether a field takes a config of one class, or a list of such."""
    return len(configs_in(field.annotation)) > len(_distinct(field))


def _row(key: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    cells = [f"`{key}`", _type(field), f"`{_plain(field.get_default(call_default_factory=True))}`", meaning]
    return "| " + " | ".join(c.replace("|", r"\|") for c in cells) + " |"


def _type(field: FieldInfo) -> str:
    if _one_or_several(field):
        return "mapping | list of mappings"
    limits = [
        f"{sign} {_plain(getattr(rule, name))}"
        for rule in field.metadata
        for name, sign in SIGNS.items()
        if getattr(rule, name, None) is not None
    ]
    markers = [rule for rule in field.metadata if isinstance(rule, PathMarker)]
    return ", ".join([_path(markers[0]) if markers else _name(field.annotation), *limits])


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"`{value}`" for value in arguments)
    if origin is Annotated:
        markers = [rule for rule in arguments if isinstance(rule, PathMarker)]
        return _path(markers[0]) if markers else _name(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return f"({_label(annotation)})"
    if origin in (Union, types.UnionType):
        return " | ".join(_name(a) for a in arguments)
    if origin is tuple:
        return f"list of {_name(arguments[0])}"
    if origin is dict:
        return f"mapping of {_name(arguments[0])} to {_name(arguments[1])}"
    return TYPES[annotation]


def _path(marker: PathMarker) -> str:
    return "name, path or URI" if marker.or_name else "path or URI"


def _label(kind: type[Config]) -> str:
    """The name of one shape of a field: its `kind`, else its first key."""
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
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_plain(v)}" for k, v in value.items()) + "}"
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
