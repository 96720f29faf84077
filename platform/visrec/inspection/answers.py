"""Answers to questions: `key=value` settings laid over a draft."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from visrec.config import PipelineConfig
from visrec.config.load import split_override
from visrec.config.written import plain_values
from visrec.inspection.readings import Question, Setting

_COMMENT = "given with --set"
_WIDTH = 100


def lay_over(settings: Sequence[Setting], answers: Sequence[str]) -> list[Setting]:
    """The settings with `key.path=value` answers laid over them.

    Raises:
        ConfigError: An answer is no `key=value`, or its value is no YAML.

    Example:
        >>> [(s.key, s.value) for s in lay_over([Setting(key="seed", value=0)], ["seed=3", "ingest.images.path=a"])]
        [('seed', 3), ('ingest.images.path', 'a')]
    """
    laid_over = list(settings)
    for answer in answers:
        key, value = _parsed(answer)
        laid_over = _with(laid_over, key, value)
    return laid_over


def without_answered(questions: Sequence[Question], answers: Sequence[str]) -> list[Question]:
    """The questions about settings that no answer gives."""
    keys = [answer.partition("=")[0] for answer in answers]
    return [q for q in questions if not any(_covers(q.key, key) or _covers(key, q.key) for key in keys)]


def annotate(settings: Sequence[Setting], questions: Sequence[Question]) -> list[Setting]:
    """The settings with each question as a comment above the first setting that it is about."""
    annotated = list(settings)
    for number, question in enumerate(questions, start=1):
        places = [
            k for k, s in enumerate(annotated) if _covers(question.key, s.key) or _covers(s.key, question.key)
        ]
        if places:
            setting = annotated[places[0]]
            annotated[places[0]] = replace(setting, before=(*setting.before, *_comment(number, question)))
    return annotated


def _comment(number: int, question: Question) -> list[str]:
    lines = textwrap.wrap(f"Question {number}: {question.text}", _WIDTH)
    if question.taken is None:
        lines.append("This file cannot run before it is answered:")
    else:
        lines += textwrap.wrap(f"Taken: {question.taken}. Otherwise:", _WIDTH)
    return lines + [f"  {line}" for line in question.lines or _as_lines(question)]


def _as_lines(question: Question) -> list[str]:
    return [f"visrec init ... {answer}" for answer in question.answers]


def _parsed(answer: str) -> tuple[str, Any]:
    key, value = split_override(answer)
    nested: Any = value
    for step in reversed(key.split(".")):
        nested = {step: nested}
    plain: Any = plain_values(PipelineConfig, nested)
    for step in key.split("."):
        plain = plain[step]
    return key, plain


def _with(settings: Sequence[Setting], key: str, value: Any) -> list[Setting]:
    changed = []
    found = False
    for setting in settings:
        if setting.key == key:
            changed.append(Setting(key=key, value=value, comment=_COMMENT, before=setting.before))
            found = True
        elif _covers(setting.key, key) and isinstance(setting.value, Mapping):
            inner = key[len(setting.key) + 1 :]
            changed.append(replace(setting, value={**setting.value, inner: value}))
            found = True
        elif not _covers(key, setting.key):
            changed.append(setting)
    return changed if found else [*changed, Setting(key=key, value=value, comment=_COMMENT)]


def _covers(key: str, other: str) -> bool:
    """Whether a key is another one, or a section that holds it."""
    return other == key or other.startswith(key + ".")
