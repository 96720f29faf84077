"""Commented YAML of drafted settings."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml

from visrec.inspection.readings import Setting

_COMMENT_COLUMN = 48


def write_yaml(settings: Sequence[Setting], header: Sequence[str]) -> str:
    """YAML text of some settings, in their order, with their comments.

    Example:
        >>> print(write_yaml([Setting(key="a.b", value=1, comment="one"), Setting(key="a.c", value="x")], ["Top"]))
        # Top
        a:
          b: 1                                          # one
          c: x
    """
    tree = _tree((setting.key, setting) for setting in settings)
    lines = [f"# {line}".rstrip() for line in header]
    return "\n".join([*lines, *_lines(tree, 0)]) + "\n"


def plain_settings(settings: Sequence[Setting]) -> dict[str, Any]:
    """The active settings as nested mappings and lists.

    Example:
        >>> plain_settings([Setting(key="logs.0.path", value="a"), Setting(key="seed", value=1)])
        {'logs': [{'path': 'a'}], 'seed': 1}
    """
    tree = _tree((setting.key, setting.value) for setting in settings if setting.active)
    values: dict[str, Any] = _with_lists(tree)
    return values


def _tree(entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Nested mappings by the steps of each key."""
    tree: dict[str, Any] = {}
    for key, value in entries:
        node = tree
        *folders, last = key.split(".")
        for step in folders:
            node = node.setdefault(step, {})
        node[last] = value
    return tree


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(step.isdigit() for step in node):
        return [_with_lists(element) for element in node.values()]
    return {step: _with_lists(element) for step, element in node.items()}


def _lines(node: dict[str, Any], depth: int) -> list[str]:
    lines = []
    for step, child in node.items():
        if isinstance(child, Setting):
            lines += _setting_lines(step, child, depth)
        elif not any(setting.active for setting in _settings_below(child)):
            # A heading without a value would set its section to nothing.
            lines += ["  " * depth + f"# {step}:", *_lines(child, depth + 1)]
        elif all(place.isdigit() for place in child):
            lines.append("  " * depth + f"{step}:")
            for element in child.values():
                inner = _lines(element, depth + 2)
                first = next(k for k, line in enumerate(inner) if not line.lstrip().startswith("#"))
                inner[first] = "  " * (depth + 1) + "- " + inner[first].lstrip()
                lines += inner
        else:
            lines += ["  " * depth + f"{step}:", *_lines(child, depth + 1)]
    return lines


def _settings_below(node: dict[str, Any]) -> Iterator[Setting]:
    for child in node.values():
        yield from [child] if isinstance(child, Setting) else _settings_below(child)


def _setting_lines(step: str, setting: Setting, depth: int) -> list[str]:
    indent = "  " * depth
    line = f"{indent}{'' if setting.active else '# '}{step}: {_scalar(setting.value)}"
    comment = f"{line:<{_COMMENT_COLUMN}}# {setting.comment}" if setting.comment else line
    if setting.comment and len(line) >= _COMMENT_COLUMN:
        comment = f"{line}  # {setting.comment}"
    return [*(f"{indent}# {text}".rstrip() for text in setting.before), comment]


def _scalar(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
