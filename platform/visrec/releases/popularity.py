"""Which items are popular now: for users of whom nothing is known."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.data.snapshot import Sequences

RECENT_DAYS = 7.0
_MS_PER_DAY = 86_400_000


@dataclass(frozen=True)
class Popularity:
    """Order of the catalogue by popularity.

    Attributes:
        items: All item indices, most popular first, ties by lower index: int32 [I].
        events_per_week: Of each of `items`: float32 [I].
    """

    items: NDArray[np.int32]
    events_per_week: NDArray[np.float32]


def measure_popularity(blocks: Callable[[], Iterable[Sequences]], num_items: int) -> Popularity:
    """Estimate each item's positive events a week from all sequences.

    The mean of what the last week counted and what the item's long-run rate would give: the week alone says nothing
    about most items of a long tail, and the long run lags behind.

    Args:
        blocks: Starts a new pass over the sequences; two are made.
        num_items: Size of the catalogue.
    """
    bounds = [(b.times.min(), b.times.max()) for b in blocks() if len(b.times)]
    first = min((low for low, _ in bounds), default=0)
    last = max((high for _, high in bounds), default=0)
    window_ms = RECENT_DAYS * _MS_PER_DAY
    recent, total = np.zeros(num_items, np.int64), np.zeros(num_items, np.int64)
    for block in blocks():
        total += np.bincount(block.items, minlength=num_items)
        recent += np.bincount(block.items[block.times > last - window_ms], minlength=num_items)
    long_run = total * min(1.0, window_ms / max(last - first, 1))
    per_week = ((recent + long_run) / 2).astype(np.float32)
    order = np.argsort(-per_week, kind="stable")
    return Popularity(order.astype(np.int32), per_week[order])
