"""From a request to its list: encode the user, retrieve candidates, build the list.

The same code serves a notebook, where the stages are objects of the process, and the Serve graph, where they are
handles to other processes.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC

import numpy as np

from visrec.config.serving import RankingConfig
from visrec.ranking.user_state import UserState
from visrec.recommend.encoder import Encoder
from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.lists import RecommendationList
from visrec.recommend.retriever import CandidateRetriever
from visrec.recommend.stage import Stage
from visrec.recommend.types import Candidates, Event, HistoryEvent, Ranked, RecommendOptions
from visrec.releases import Release, ReleaseCatalogue

WIDENING = 8
"""Factor by which retrieval grows where the rules leave too few candidates."""
_MINUTE_MS = 60_000


class Pipeline:
    """Recommendations of a release from the three stages.

    Example:
        >>> pipeline = Pipeline(encoder, retriever, list_builder, RankingConfig())              # doctest: +SKIP
        >>> found = await pipeline.recommend(release, "u00017", [], RecommendOptions(k=10))     # doctest: +SKIP
        >>> found[0].id, found.source                                                           # doctest: +SKIP
        ('i00042', 'user')
    """

    def __init__(
        self,
        encoder: Stage[Encoder],
        retriever: Stage[CandidateRetriever],
        list_builder: Stage[ListBuilder],
        ranking: RankingConfig,
    ) -> None:
        self._encoder = encoder
        self._retriever = retriever
        self._list_builder = list_builder
        self._ranking = ranking

    async def recommend(
        self,
        release: Release,
        user_id: str | None,
        history: Sequence[HistoryEvent],
        options: RecommendOptions,
    ) -> RecommendationList:
        """Items for a user; popular ones where neither the release nor the request holds a history.

        Args:
            release: The release.
            user_id: A user of the log, or None; a user that the release does not know has no stored history.
            history: Follows the stored history, oldest first.
            options: Length, rules, diversity.

        Raises:
            NotFoundError: The catalogue does not hold an item of the history.
        """
        rules, k = options.rules, options.k
        events = _events(history, release.catalogue)
        if user_id is None and not events:
            popular = await self._list_builder(release.name, ListBuilder.popular, rules, k=k)
            return RecommendationList.of(release, popular, "popular")
        query = await self._encoder(release.name, Encoder.encode_user, user_id, events)
        seen = query.seen if options.exclude_seen else query.seen[:0]
        vector_D = query.vector_D
        if vector_D is None:
            rules = replace(rules, exclude=np.union1d(rules.exclude, seen).astype(np.int32))
            popular = await self._list_builder(release.name, ListBuilder.popular, rules, k=k)
            return RecommendationList.of(release, popular, query.source)
        ranked = await self._retrieve_and_rank(
            lambda num: self._retriever(
                release.name, CandidateRetriever.search, "scores", vector_D, k=num, exclude=seen
            ),
            release,
            options,
            diversity=self._ranking.diversity if options.diversity is None else options.diversity,
            user_state=query.user_state,
        )
        return RecommendationList.of(release, ranked, query.source)

    async def similar(self, release: Release, item_id: str, options: RecommendOptions) -> RecommendationList:
        """Items that look like one of the catalogue.

        Raises:
            NotFoundError: The catalogue does not hold the item.
        """
        item = release.catalogue.index_of(item_id)
        ranked = await self._retrieve_and_rank(
            lambda num: self._retriever(release.name, CandidateRetriever.neighbours, item, k=num),
            release,
            options,
            diversity=options.diversity or 0.0,
        )
        return RecommendationList.of(release, ranked, "item")

    async def search(self, release: Release, picture: bytes, options: RecommendOptions) -> RecommendationList:
        """Items that look like a picture.

        Raises:
            PictureError: It cannot be decoded, or is over a limit.
            UnsupportedError: The model of the release knows items by id only.
        """
        vector_D = await self._encoder(release.name, Encoder.encode_picture, picture)
        nothing = np.empty(0, np.int32)
        ranked = await self._retrieve_and_rank(
            lambda num: self._retriever(
                release.name, CandidateRetriever.search, "similar", vector_D, k=num, exclude=nothing
            ),
            release,
            options,
            diversity=options.diversity or 0.0,
        )
        return RecommendationList.of(release, ranked, "picture")

    async def _retrieve_and_rank(
        self,
        retrieve: Callable[[int], Awaitable[Candidates]],
        release: Release,
        options: RecommendOptions,
        *,
        diversity: float,
        user_state: UserState | None = None,
    ) -> Ranked:
        """Rank candidates; where the rules leave fewer than `k`, retrieve more, up to the whole catalogue."""
        num_candidates = max(self._ranking.num_candidates, options.k)
        while True:
            candidates = await retrieve(num_candidates)
            ranked = await self._list_builder(
                release.name,
                ListBuilder.rank,
                candidates,
                options.rules,
                k=options.k,
                diversity=diversity,
                user_state=user_state,
            )
            if len(ranked.items) >= options.k or candidates.exhausted:
                return ranked
            num_candidates *= WIDENING


def _events(history: Sequence[HistoryEvent], catalogue: ReleaseCatalogue) -> list[Event]:
    """The events with item indices and times; those without a time are spaced a minute apart, up to now, because the
    user tower reads the time between events."""
    now = int(time.time() * 1000)
    return [
        Event(
            item=catalogue.index_of(event.item_id),
            kind=event.kind,
            time=_milliseconds(event, now - (len(history) - 1 - place) * _MINUTE_MS),
        )
        for place, event in enumerate(history)
    ]


def _milliseconds(event: HistoryEvent, default: int) -> int:
    if event.time is None:
        return default
    aware = event.time if event.time.tzinfo else event.time.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)
