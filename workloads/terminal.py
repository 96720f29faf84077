"""Texts between the command line and a person: lines on standard error, notes, durations."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from visrec.config.base import RenamedKeyWarning
from visrec.errors import ConfigError

_UNITS = {"s": 1 / 60, "m": 1.0, "h": 60.0}
"""Minutes of each unit of a duration."""


def print_line(label: str, text: str) -> None:
    """Print one line on standard error, brackets in the text as they are."""
    line = " ".join(text.split()).replace("[", r"\[")
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"{label} {line}")


@contextmanager
def notes_of_renamed_keys() -> Iterator[None]:
    """Show each former name of a key as one line on standard error instead of a Python warning."""
    noted = set()
    with warnings.catch_warnings():
        show_warning = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
            if not issubclass(category, RenamedKeyWarning):
                show_warning(message, category, *place, **options)
            elif str(message) not in noted:
                noted.add(str(message))
                print_line("note:", str(message))

        warnings.simplefilter("always", RenamedKeyWarning)
        warnings.showwarning = show
        yield


def minutes_of(text: str) -> float:
    """Minutes of a duration such as `90s`, `10m` or `2h`.

    Raises:
        ConfigError: It is no such text.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.replace(".", "", 1).isdigit():
        raise ConfigError(f"--budget: expected a duration such as 90s, 10m or 2h, got {text!r}")
    return float(number) * _UNITS[unit]
