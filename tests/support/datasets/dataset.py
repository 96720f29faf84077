"""What `visrec init` is expected to make of a public data set's schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.datasets.world import EVENTS_PER_USER, NUM_ITEMS, NUM_USERS

NUM_EVENTS = NUM_USERS * EVENTS_PER_USER


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """A schema.

    Attributes:
        write: Writes a small data set of it to a folder.
        settings: The section `ingest` of the config that init drafts, paths from that folder.
        asked: Keys of the questions that remain, all of them with a reading that is taken.
        num_events: Rows of the logs.
        num_items: Items of the catalogue.
        num_merged: Events that are merged into one visit with others.
        num_unreadable: Attribute values that cannot be read.
    """

    write: Callable[[Path], None]
    settings: Mapping[str, Any]
    asked: tuple[str, ...] = ()
    num_events: int = NUM_EVENTS
    num_items: int = NUM_ITEMS
    num_merged: int = 0
    num_unreadable: int = 0
