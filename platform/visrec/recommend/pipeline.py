"""From a request to the final list: which deployment is asked for what, in which order.

It knows the deployments by protocols only. In the graph they are handles to other processes, in a test plain objects.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.config.serving import RankingConfig
from visrec.ranking.user_state import UserState
from visrec.recommend.types import Candidates, Event, Ranked, Rules, Source, Space, UserQuery

WIDENING = 8
"""Where rules leave too few of the candidates, so many times as many are asked for."""


class Busy(Exception):
    """A deployment has no room for the request, or no replica of it is there; later it may have."""


class EncoderPort(Protocol):
    """The encoder, wherever it runs."""

    async def encode_user(self, release: str, user_id: str | None, events: Sequence[Event]) -> UserQuery:
        """See `Encoder.encode_user`."""
        ...

    async def encode_picture(self, release: str, data: bytes) -> NDArray[np.float32]:
        """See `Encoder.encode_picture`."""
        ...


class RetrieverPort(Protocol):
    """The retriever, wherever it runs."""

    async def search(
        self, release: str, space: Space, vector_D: NDArray[np.float32], k: int, exclude: NDArray[np.int32]
    ) -> Candidates:
        """See `CandidateRetriever.search`."""
        ...

    async def neighbours(self, release: str, item: int, k: int) -> Candidates:
        """See `CandidateRetriever.neighbours`."""
        ...


class RankerPort(Protocol):
    """The ranker, wherever it runs."""

    async def rank(
        self,
        release: str,
        candidates: Candidates,
        rules: Rules,
        k: int,
        diversity: float,
        past: UserState | None = None,
    ) -> Ranked:
        """See `Ranker.rank`."""
        ...

    async def popular(self, release: str, rules: Rules, k: int) -> Ranked:
        """See `Ranker.popular`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RecommendOptions:
    """What is asked for.

    Attributes:
        k: Length of the list.
        rules: What may be on it.
        diversity: Weight of difference; None takes that of the config.
        exclude_seen: Leave out what the user had to do with.
    """

    k: int
    rules: Rules = field(default_factory=Rules)
    diversity: float | None = None
    exclude_seen: bool = True


class Pipeline:
    """Asks encoder, retriever and ranker in turn."""

    def __init__(
        self, encoder: EncoderPort, retriever: RetrieverPort, ranker: RankerPort, ranking: RankingConfig
    ) -> None:
        self._encoder = encoder
        self._retriever = retriever
        self._ranker = ranker
        self._ranking = ranking

    async def for_user(
        self, release: str, user_id: str | None, events: Sequence[Event], options: RecommendOptions
    ) -> tuple[Ranked, Source]:
        """Recommendations, and what they go by: without any history that is popularity."""
        if user_id is None and not events:
            return await self._ranker.popular(release, options.rules, options.k), "popular"
        query = await self._encoder.encode_user(release, user_id, events)
        seen = query.seen if options.exclude_seen else query.seen[:0]
        vector_D = query.vector_D
        if vector_D is None:
            rules = replace(options.rules, exclude=np.union1d(options.rules.exclude, seen).astype(np.int32))
            return await self._ranker.popular(release, rules, options.k), query.source
        diversity = self._ranking.diversity if options.diversity is None else options.diversity
        ranked = await self._retrieve_and_rank(
            lambda n: self._retriever.search(release, "scores", vector_D, n, seen),
            release,
            replace(options, diversity=diversity),
            query.past,
        )
        return ranked, query.source

    async def similar(self, release: str, item: int, options: RecommendOptions) -> Ranked:
        """What looks like an item."""
        return await self._retrieve_and_rank(
            lambda n: self._retriever.neighbours(release, item, n), release, options
        )

    async def by_picture(self, release: str, data: bytes, options: RecommendOptions) -> Ranked:
        """What looks like an uploaded picture."""
        vector_D = await self._encoder.encode_picture(release, data)
        nothing = np.empty(0, np.int32)
        return await self._retrieve_and_rank(
            lambda n: self._retriever.search(release, "similar", vector_D, n, nothing), release, options
        )

    async def _retrieve_and_rank(
        self,
        search: Callable[[int], Awaitable[Candidates]],
        release: str,
        options: RecommendOptions,
        past: UserState | None = None,
    ) -> Ranked:
        """Rank candidates; where the rules leave fewer than `k`, take more candidates, up to all."""
        num_candidates = max(self._ranking.num_candidates, options.k)
        while True:
            candidates = await search(num_candidates)
            diversity = options.diversity or 0.0
            ranked = await self._ranker.rank(release, candidates, options.rules, options.k, diversity, past)
            if len(ranked.items) >= options.k or candidates.complete:
                return ranked
            num_candidates *= WIDENING
