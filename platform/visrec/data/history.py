"""One user's history of events."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """One user's events, oldest first.

    Attributes:
        items: Item indices, int32 [L].
        kinds: Codes of event kinds, int8 [L].
        times: Milliseconds, int64 [L].
    """

    items: NDArray[np.int32]
    kinds: NDArray[np.int8]
    times: NDArray[np.int64]

    @classmethod
    def empty(cls) -> "History":
        """A history without events."""
        return cls(items=np.empty(0, np.int32), kinds=np.empty(0, np.int8), times=np.empty(0, np.int64))

    def followed_by(self, later: "History") -> "History":
        """Both histories as one. An item that occurs several times is kept at its last place only, because sequences in
        training hold each item once.

        Example:
            >>> clicks = np.zeros(2, np.int8), np.arange(2)
            >>> first, second = (
            ...     History(items=np.array(items, np.int32), kinds=clicks[0], times=clicks[1])
            ...     for items in ([5, 7], [9, 5])
            ... )
            >>> first.followed_by(second).items.tolist()
            [7, 9, 5]
        """
        items = np.r_[self.items, later.items]
        _, from_the_end = np.unique(items[::-1], return_index=True)
        kept = np.sort(len(items) - 1 - from_the_end)
        return History(
            items=items[kept],
            kinds=np.r_[self.kinds, later.kinds][kept],
            times=np.r_[self.times, later.times][kept],
        )
