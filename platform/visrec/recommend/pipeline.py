"""From a request to its list: encode the user, retrieve candidates, build the list.

The same code serves a notebook, where the stages are objects of the process, and the Serve graph, where they are
handles to other processes.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC

import numpy as np
from numpy.typing import NDArray

from visrec.config.serving import RankingConfig
from visrec.ranking.user_state import UserState
from visrec.recommend.encoder import Encoder
from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.lists import RecommendationList
from visrec.recommend.retriever import CandidateRetriever
from visrec.recommend.stage import Stage
from visrec.recommend.types import Candidates, Event, HistoryEvent, Ranked, RecommendOptions
from visrec.releases import Release, ReleaseCatalogue

MIN_CANDIDATES = 2
"""Fewer do not show whether the scores differ."""
WIDENING = 8
"""Factor by which retrieval grows where the rules leave too few candidates."""
_MINUTE_MS = 60_000
_NOTHING = np.empty(0, np.int32)


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
        """Items for a user; popular ones where nothing is known that tells items apart.

        That is without a history in the release and in the request, and where all scores are equal.

        Args:
            release: The release.
            user_id: A user of the log, or None; a user that the release does not know has no stored history.
            history: Follows the stored history, oldest first; items that the catalogue does not hold are left out,
                and named in the list.
            options: Length, rules, diversity.
        """
        events, unknown_items = _known_events(history, release.catalogue)
        if user_id is None and not events:
            return await self._popular(release, options, unknown_items=unknown_items)
        query = await self._encoder(release.name, Encoder.encode_user, user_id, events)
        seen = query.seen if options.exclude_seen else query.seen[:0]
        vector_D = query.vector_D
        ranked = None
        if vector_D is not None:
            ranked = await self._retrieve_and_rank(
                lambda num: self._retriever(
                    release.name, CandidateRetriever.search, "scores", vector_D, k=num, exclude=seen
                ),
                release,
                options,
                diversity=self._ranking.diversity if options.diversity is None else options.diversity,
                user_state=query.user_state,
            )
        if ranked is None:
            return await self._popular(release, options, exclude=seen, unknown_items=unknown_items)
        return RecommendationList.of(release, ranked, query.source, unknown_items=unknown_items)

    async def similar(self, release: Release, item_id: str, options: RecommendOptions) -> RecommendationList:
        """Items that look like one of the catalogue; popular ones where all look the same to the model.

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
        if ranked is None:
            return await self._popular(release, options, exclude=np.array([item], np.int32))
        return RecommendationList.of(release, ranked, "item")

    async def search(self, release: Release, picture: bytes, options: RecommendOptions) -> RecommendationList:
        """Items that look like a picture; popular ones where all look the same to the model.

        Raises:
            PictureError: It cannot be decoded, or is over a limit.
            UnsupportedError: The model of the release knows items by id only.
        """
        vector_D = await self._encoder(release.name, Encoder.encode_picture, picture)
        ranked = await self._retrieve_and_rank(
            lambda num: self._retriever(
                release.name, CandidateRetriever.search, "similar", vector_D, k=num, exclude=_NOTHING
            ),
            release,
            options,
            diversity=options.diversity or 0.0,
        )
        if ranked is None:
            return await self._popular(release, options)
        return RecommendationList.of(release, ranked, "picture")

    async def _popular(
        self,
        release: Release,
        options: RecommendOptions,
        *,
        exclude: NDArray[np.int32] = _NOTHING,
        unknown_items: Sequence[str] = (),
    ) -> RecommendationList:
        """The popular items that the rules allow, without some."""
        rules = replace(options.rules, exclude=np.union1d(options.rules.exclude, exclude).astype(np.int32))
        ranked = await self._list_builder(release.name, ListBuilder.popular, rules, k=options.k)
        return RecommendationList.of(release, ranked, "popular", unknown_items=unknown_items)

    async def _retrieve_and_rank(
        self,
        retrieve: Callable[[int], Awaitable[Candidates]],
        release: Release,
        options: RecommendOptions,
        *,
        diversity: float,
        user_state: UserState | None = None,
    ) -> Ranked | None:
        """Rank candidates; None where all items have the same score.

        Where the rules leave fewer than `k`, or the scores of the candidates are equal, more are retrieved, up to the
        whole catalogue.
        """
        num_candidates = max(self._ranking.num_candidates, options.k, MIN_CANDIDATES)
        while True:
            candidates = await retrieve(num_candidates)
            scores = candidates.scores
            if len(scores) > 1 and scores.min() == scores.max():
                if candidates.exhausted:
                    return None
            else:
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


def _known_events(
    history: Sequence[HistoryEvent], catalogue: ReleaseCatalogue
) -> tuple[list[Event], tuple[str, ...]]:
    """The events with item indices and times, and the ids, once each, that the catalogue does not hold.

    Events without a time are spaced a minute apart, up to now, because the user tower reads the time between events.
    """
    known = [event for event in history if event.item_id in catalogue]
    unknown = dict.fromkeys(event.item_id for event in history if event.item_id not in catalogue)
    now = int(time.time() * 1000)
    events = [
        Event(
            item=catalogue.index_of(event.item_id),
            kind=event.kind,
            time=_milliseconds(event, now - (len(known) - 1 - place) * _MINUTE_MS),
        )
        for place, event in enumerate(known)
    ]
    return events, tuple(unknown)


def _milliseconds(event: HistoryEvent, default: int) -> int:
    if event.time is None:
        return default
    aware = event.time if event.time.tzinfo else event.time.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)
