"""The encoder stage: a user's history, or a picture that is no item of the catalogue, becomes a query vector."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Semaphore
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import unit_vectors
from visrec.config import EVENT_KINDS, EventKind
from visrec.data.decoding import decode_picture
from visrec.data.history import History
from visrec.data.images import ImageFacts
from visrec.errors import UnsupportedError
from visrec.ranking.user_state import UserState
from visrec.recommend.types import Event, Source, UserQuery
from visrec.releases import Release
from visrec.retrieval import append_one

# Importing torch takes seconds: only a process that loads a tower does.
if TYPE_CHECKING:
    from visrec.models import Recommender
    from visrec.releases.histories import Histories

MAX_DECODING = 2
"""Pictures that a process decodes at the same time: each may take a hundred megabytes for a moment."""
_CODES: dict[str, int] = {kind: code for code, kind in enumerate(EVENT_KINDS)}


@dataclass(frozen=True, kw_only=True, slots=True)
class KindRules:
    """Event kinds of a release.

    Attributes:
        weights: Strength of each kind; above 0 is positive feedback, below 0 negative.
        trained: Kinds that the user tower was trained on.
        default: The most frequent of those.
    """

    weights: Mapping[EventKind, float]
    trained: frozenset[str]
    default: EventKind

    @classmethod
    def of(cls, release: Release) -> "KindRules":
        """Those of a release."""
        return cls(
            weights=release.facts.event_weights,
            trained=frozenset(release.facts.kinds),
            default=release.default_kind,
        )

    def is_positive(self, kind: EventKind | None) -> bool:
        """Whether an event of this kind is positive feedback; an event without a kind is."""
        return kind is None or self.weights.get(kind, 0) > 0

    def code(self, kind: EventKind | None) -> int:
        """Code of the kind, of the default for None."""
        return _CODES[kind or self.default]

    def trained_code(self, kind: EventKind | None) -> int:
        """Code of a kind whose embedding is trained: the kind itself, else the default."""
        return _CODES[kind if kind in self.trained else self.default]


class PictureDecoder:
    """Decoder of uploaded pictures with limits, shared by all encoders of a process.

    Args:
        max_bytes: Larger files are refused.
        max_pixels: Larger pictures are refused, before anything is decoded.
    """

    def __init__(self, *, max_bytes: int, max_pixels: int) -> None:
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._places = Semaphore(MAX_DECODING)

    def decode(self, data: bytes, facts: ImageFacts) -> NDArray[np.uint8]:
        """The picture at the size that the model reads: uint8 [H, W, 3].

        Raises:
            PictureError: It cannot be decoded, or is over a limit.
        """
        with self._places:
            picture = decode_picture(
                data,
                height=facts.height,
                width=facts.width,
                max_bytes=self._max_bytes,
                max_pixels=self._max_pixels,
            )
        return picture.pixels


class Encoder:
    """Query vectors from the two towers of one release.

    Example:
        >>> encoder = Encoder.load(release, decoder=decoder)                        # doctest: +SKIP
        >>> encoder.encode_user("u00017", []).source                                # doctest: +SKIP
        'user'
    """

    def __init__(
        self,
        *,
        recommender: "Recommender",
        vectors_ID: NDArray[np.float32],
        histories: "Histories",
        reactions: "Histories | None",
        kinds: KindRules,
        has_pictures: bool,
        decoder: PictureDecoder,
    ) -> None:
        self._recommender = recommender
        self._vectors_ID = vectors_ID
        self._histories = histories
        self._reactions = reactions
        self._kinds = kinds
        self._has_pictures = has_pictures
        self._decoder = decoder

    @classmethod
    def load(cls, release: Release, *, decoder: PictureDecoder) -> "Encoder":
        """From a release; imports torch."""
        return cls(
            recommender=release.recommender(),
            vectors_ID=release.item_vectors,
            histories=release.histories,
            reactions=release.reactions,
            kinds=KindRules.of(release),
            has_pictures=release.has_pictures,
            decoder=decoder,
        )

    def encode_user(self, user_id: str | None, events: Sequence[Event]) -> UserQuery:
        """Query of a user: their stored history, followed by the events of the request.

        Only positive events enter the vector. Any event, a dislike too, makes its item a seen one.
        """
        stored = self._stored(self._histories, user_id)
        source: Source = "user" if len(stored.items) else "history"
        positives = [event for event in events if self._kinds.is_positive(event.kind)]
        codes = [self._kinds.trained_code(event.kind) for event in positives]
        history = stored.followed_by(_history(positives, codes))
        seen = np.union1d(history.items, _items(events)).astype(np.int32)
        if not len(history.items):
            return UserQuery(vector_D=None, seen=seen, source="popular")
        now = int(1000 * time.time())
        queries_1D = self._recommender.encode_users([history], self._vectors_ID, np.array([now], np.int64))
        return UserQuery(
            vector_D=append_one(queries_1D)[0],
            seen=seen,
            source=source,
            user_state=self._user_state(user_id, history, events, now, queries_1D[0]),
        )

    def encode_picture(self, data: bytes) -> NDArray[np.float32]:
        """Vector of a picture, of length 1: float32 [D].

        Raises:
            PictureError: It cannot be decoded, or is over a limit.
            UnsupportedError: The model of this release knows items by id only.
        """
        if not self._has_pictures:
            raise UnsupportedError("this release knows items by id only and cannot search by picture")
        pixels = self._decoder.decode(data, self._recommender.image_facts)
        vector_1D = unit_vectors(self._recommender.encode_pictures(pixels[None]))
        return np.asarray(vector_1D[0], np.float32)

    def _user_state(
        self,
        user_id: str | None,
        history: History,
        events: Sequence[Event],
        now: int,
        query_D: NDArray[np.float32],
    ) -> UserState | None:
        """Input of the learned ranker: the history, and items refused or only viewed, stored and of this request."""
        if self._reactions is None:
            return None
        stored = self._stored(self._reactions, user_id)
        items = np.r_[stored.items, _items(events)]
        codes = np.r_[stored.kinds, np.array([self._kinds.code(event.kind) for event in events], np.int8)]
        weights = np.array([self._kinds.weights.get(kind, 0) for kind in EVENT_KINDS])[codes.astype(np.int64)]
        return UserState(
            items=history.items,
            times=history.times,
            negatives=items[weights < 0],
            viewed=items[weights == 0],
            time=now,
            query_D=query_D,
        )

    @staticmethod
    def _stored(histories: "Histories", user_id: str | None) -> History:
        found = histories.find(user_id) if user_id is not None else None
        return found or History.empty()


def _history(events: Sequence[Event], codes: Sequence[int]) -> History:
    return History(
        items=_items(events),
        kinds=np.array(codes, np.int8),
        times=np.array([event.time for event in events], np.int64),
    )


def _items(events: Sequence[Event]) -> NDArray[np.int32]:
    return np.array([event.item for event in events], np.int32)
