"""A small shop with tastes, which every generator of a public data set's schema writes in its own way.

Users like one kind of item, told by its colour, and go through its items in the order of their numbers.
"""

import csv
import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

NUM_USERS = 48
NUM_ITEMS = 30
EVENTS_PER_USER = 8
NUM_TYPES = 3
START = 1_650_000_000
TYPE_NAMES = ("Coats", "Lamps", "Mugs")
_COLOURS = np.array([[200, 40, 40], [40, 180, 60], [50, 70, 200]])


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A user, an item and seconds since 1970; `place` within the user's events."""

    user: int
    item: int
    time: int
    place: int

    def moment(self, pattern: str) -> str:
        """The time as text."""
        return f"{datetime.fromtimestamp(self.time, UTC):{pattern}}"


def events(seed: int = 0) -> list[Event]:
    """Events in order of time; each user has each item at most once."""
    rng = np.random.default_rng(seed)
    found = []
    for user in range(NUM_USERS):
        liked = np.arange(user % NUM_TYPES, NUM_ITEMS, NUM_TYPES)
        chosen = np.roll(liked, -int(rng.integers(len(liked))))[: EVENTS_PER_USER - 1].tolist()
        other = int(rng.choice(np.setdiff1d(np.arange(NUM_ITEMS), liked)))
        chosen.insert(int(rng.integers(EVENTS_PER_USER)), other)
        time = START + int(rng.integers(40 * 86_400))
        for place, item in enumerate(chosen):
            time += int(rng.integers(3 * 3600, 30 * 3600))
            found.append(Event(user=user, item=item, time=time, place=place))
    return sorted(found, key=lambda e: (e.time, e.user))


def type_name(item: int) -> str:
    """Name of the kind of item."""
    return TYPE_NAMES[item % NUM_TYPES]


def write_pictures(folder: Path, names: Sequence[str]) -> None:
    """A small picture of each item, under its name (sub-folders are made)."""
    rng = np.random.default_rng(1)
    for item, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = rng.integers(-30, 30, (16, 16, 3))
        pixels = np.clip(_COLOURS[item % NUM_TYPES] + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path)


def write_csv(
    path: Path, rows: Iterable[Sequence[Any]], header: Sequence[str] | None = None, delimiter: str = ","
) -> None:
    """Rows of CSV, with a header line unless there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        if header is not None:
            writer.writerow(header)
        writer.writerows(rows)


def write_lines(path: Path, lines: Iterable[str], encoding: str = "utf-8") -> None:
    """Lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)


def write_json_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """A JSON object a line; compressed where the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
