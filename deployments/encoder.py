"""The encoder: a user's history, or an uploaded picture, becomes a query vector."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Semaphore

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import unit_vectors
from visrec.config import EVENT_KINDS, EventKind
from visrec.data.decoding import decode_picture
from visrec.deployments.loaded import ReleaseActor
from visrec.errors import VisrecError
from visrec.models import History, Recommender
from visrec.ranking.user_state import UserState
from visrec.recommend.types import Event, Source, UserQuery
from visrec.releases import Release
from visrec.releases.histories import Histories
from visrec.retrieval import append_one

MAX_DECODING = 2
"""Pictures that a replica decodes at the same time: each may take a hundred megabytes for a moment."""
_NO_HISTORY = History(items=np.empty(0, np.int32), kinds=np.empty(0, np.int8), times=np.empty(0, np.int64))


@dataclass(frozen=True, kw_only=True, slots=True)
class KindRules:
    """How a release understands event kinds.

    Attributes:
        weights: Strength of each kind; above 0 is a positive.
        trained: Kinds that the user tower has seen.
        usual: The most frequent of those.
    """

    weights: Mapping[str, float]
    trained: frozenset[str]
    usual: EventKind

    def is_positive(self, kind: str | None) -> bool:
        """Whether an event of this kind says that the user likes the item."""
        return kind is None or self.weights.get(kind, 0) > 0

    def code_as_told(self, kind: str | None) -> int:
        """Code of the kind, of the usual one where none is told."""
        return [*EVENT_KINDS].index(kind or self.usual)  # type: ignore[arg-type]

    def code(self, kind: str | None) -> int:
        """Code of the kind; an untrained kind has an untrained embedding, so the usual one stands in for it."""
        return [*EVENT_KINDS].index(kind if kind in self.trained else self.usual)  # type: ignore[arg-type]


class Encoder:
    """Encodes with the towers of one release.

    Example:
        >>> encoder = Encoder.load(release)                                         # doctest: +SKIP
        >>> encoder.encode_user("u00017", []).source                                # doctest: +SKIP
        'user'
    """

    def __init__(
        self,
        recommender: Recommender,
        vectors_ID: NDArray[np.float32],
        histories: Histories,
        reactions: Histories | None = None,
        *,
        kinds: KindRules,
        has_pictures: bool,
    ) -> None:
        self._recommender = recommender
        self._vectors_ID = vectors_ID
        self._histories = histories
        self._reactions = reactions
        self._kinds = kinds
        self._has_pictures = has_pictures

    @classmethod
    def load(cls, release: Release) -> "Encoder":
        """From a release."""
        return cls(
            release.recommender(),
            release.item_vectors,
            release.histories,
            release.reactions,
            kinds=KindRules(
                weights=release.facts.event_weights,
                trained=frozenset(release.facts.kinds),
                usual=release.default_kind,
            ),
            has_pictures=release.has_pictures,
        )

    def encode_user(self, user_id: str | None, events: Sequence[Event]) -> UserQuery:
        """The query of a user: what the release knows of them, followed by the events of the request.

        Negative events (a dislike) make an item seen, and say nothing of what the user likes.
        """
        stored = self._histories.find(user_id) if user_id is not None else None
        source: Source = "user" if stored is not None and len(stored.items) else "history"
        history = _joined(
            stored or _NO_HISTORY, [e for e in events if self._kinds.is_positive(e.kind)], self._kinds
        )
        seen = np.union1d(history.items, np.array([e.item for e in events], np.int32)).astype(np.int32)
        if not len(history.items):
            return UserQuery(vector_D=None, seen=seen, source="popular")
        now = int(1000 * time.time())
        moment = np.array([now], np.int64)
        queries = append_one(self._recommender.encode_users([history], self._vectors_ID, moment))
        return UserQuery(
            vector_D=queries[0], seen=seen, source=source, past=self._past(user_id, history, events, now)
        )

    def _past(
        self, user_id: str | None, history: History, events: Sequence[Event], now: int
    ) -> UserState | None:
        """What the ranker looks at: also what the user refused, or saw and left, before and in this request."""
        if self._reactions is None:
            return None
        stored = (self._reactions.find(user_id) if user_id is not None else None) or _NO_HISTORY
        weights = np.array([self._kinds.weights.get(kind, 0) for kind in EVENT_KINDS])
        items = np.r_[stored.items, np.array([e.item for e in events], np.int32)].astype(np.int32)
        codes = np.r_[stored.kinds, np.array([self._kinds.code_as_told(e.kind) for e in events], np.int8)]
        weight = weights[codes.astype(np.int64)]
        return UserState(
            items=history.items,
            times=history.times,
            negatives=items[weight < 0],
            viewed=items[weight == 0],
            time=now,
        )

    def encode_picture(self, data: bytes, *, max_bytes: int, max_pixels: int) -> NDArray[np.float32]:
        """The vector of a picture, of length 1: float32 [D].

        Raises:
            PictureError: It cannot be decoded, or is over a limit.
            VisrecError: The model of this release has no pixels.
        """
        if not self._has_pictures:
            raise VisrecError("this release knows items by id only and cannot search by picture")
        facts = self._recommender.image_facts
        picture = decode_picture(
            data, height=facts.height, width=facts.width, max_bytes=max_bytes, max_pixels=max_pixels
        )
        vector_D = self._recommender.encode_pictures(picture.pixels[None])[0]
        return np.asarray(unit_vectors(vector_D[None])[0], np.float32)


class EncoderDeployment(ReleaseActor[Encoder]):
    """The encoder as a Serve deployment."""

    def __init__(self, workspace: str, release: str, max_bytes: int, max_pixels: int) -> None:
        super().__init__(workspace, release, Encoder.load)
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._decoding = Semaphore(MAX_DECODING)

    def encode_user(self, release: str, user_id: str | None, events: Sequence[Event]) -> UserQuery:
        """See `Encoder.encode_user`."""
        return self._releases.get(release).encode_user(user_id, events)

    def encode_picture(self, release: str, data: bytes) -> NDArray[np.float32]:
        """See `Encoder.encode_picture`."""
        encoder = self._releases.get(release)
        with self._decoding:
            return encoder.encode_picture(data, max_bytes=self._max_bytes, max_pixels=self._max_pixels)


def _joined(stored: History, events: Sequence[Event], kinds: KindRules) -> History:
    """Stored and new events, each item once, at its last place: training saw no item twice in a sequence."""
    items = np.r_[stored.items, np.array([e.item for e in events], np.int32)]
    codes = np.r_[stored.kinds, np.array([kinds.code(e.kind) for e in events], np.int8)]
    times = np.r_[stored.times, np.array([e.time for e in events], np.int64)]
    _, from_the_end = np.unique(items[::-1], return_index=True)
    kept = np.sort(len(items) - 1 - from_the_end)
    return History(items=items[kept], kinds=codes[kept], times=times[kept])
