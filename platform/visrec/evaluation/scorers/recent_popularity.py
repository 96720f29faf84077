"""The same list for everybody: what most users had in the last days of training."""

from collections.abc import Iterable

from visrec.data.snapshot import Sequences
from visrec.evaluation.scorers.popularity import Popularity, count_items

DAY_MS = 86_400_000


class RecentPopularity(Popularity):
    """`Popularity` over the events of the last days up to the last known event."""

    @classmethod
    def fit(cls, blocks: Iterable[Sequences], num_items: int, *, days: float = 7.0) -> "RecentPopularity":
        """Find the last known event, then count the events of the `days` before it. Goes over the blocks twice."""
        last = max((int(block.times.max()) for block in blocks if len(block.times)), default=0)
        return cls(count_items(blocks, num_items, since=last - int(days * DAY_MS)))
