"""The front door: recommendations of a release from Python, in this process, without Ray and without a server."""

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from visrec.config.base import EventKind
from visrec.config.serving import RankingConfig
from visrec.errors import PictureError
from visrec.recommend.encoder import Encoder, PictureDecoder
from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.lists import Item, RecommendationList
from visrec.recommend.pipeline import Pipeline
from visrec.recommend.release_cache import open_verified
from visrec.recommend.retriever import CandidateRetriever
from visrec.recommend.stage import LocalStage, run
from visrec.recommend.types import HistoryEvent, RecommendOptions, Rules
from visrec.releases import CURRENT, Release
from visrec.storage import ArtifactStore

MAX_PICTURE_BYTES = 100_000_000
MAX_PICTURE_PIXELS = 200_000_000
HistoryEntry = str | tuple[str, EventKind] | HistoryEvent
"""An item id, an item id with an event kind, or an event with its time."""


def open_shop(
    workspace: str | os.PathLike[str] | ArtifactStore,
    release: str = CURRENT,
    *,
    ranking: RankingConfig | None = None,
) -> "Shop":
    """Open a release of a workspace, after its files were compared with their checksums.

    Args:
        workspace: Root of all results: a path, or a URI such as `s3://bucket/folder`.
        release: Name of a release; the default is the current one.
        ranking: Number of candidates and weight of diversity; default: those of the server.

    Raises:
        ArtifactError: There is no such release, or it is damaged.

    Example:
        >>> import visrec
        >>> shop = visrec.open("workspace")                                           # doctest: +SKIP
        >>> shop.recommend(user="u00017", k=10)                                       # doctest: +SKIP
    """
    root = workspace if isinstance(workspace, ArtifactStore) else ArtifactStore(os.fspath(workspace))
    return Shop(open_verified(root, release), ranking)


class Shop:
    """Recommendations of one release.

    The towers, which need torch, and the indexes are loaded at their first use: `similar` needs no tower. Lists are
    those that the server gives for the same request.

    Attributes:
        release: The release.
    """

    def __init__(self, release: Release, ranking: RankingConfig | None = None) -> None:
        self.release = release
        decoder = PictureDecoder(max_bytes=MAX_PICTURE_BYTES, max_pixels=MAX_PICTURE_PIXELS)
        self._pipeline = Pipeline(
            LocalStage(release, partial(Encoder.load, decoder=decoder)),
            LocalStage(release, CandidateRetriever.load),
            LocalStage(release, ListBuilder.load),
            ranking or RankingConfig(),
        )

    def __repr__(self) -> str:
        return f"Shop(release={self.release.name!r}, num_items={len(self.release.catalogue)})"

    def item(self, item_id: str) -> Item:
        """An item of the catalogue.

        Raises:
            NotFoundError: The catalogue does not hold it.
        """
        return Item.find(self.release, item_id)

    def recommend(
        self,
        *,
        user: str | None = None,
        history: Sequence[HistoryEntry] = (),
        k: int = 10,
        categories: Iterable[str] = (),
        exclude_categories: Iterable[str] = (),
        min_price: float | None = None,
        max_price: float | None = None,
        available_only: bool = True,
        exclude_seen: bool = True,
        diversity: float | None = None,
    ) -> RecommendationList:
        """Items for a user of the log, for a given history, or for both; without either, popular items.

        Where the scores of all items are equal, the popular ones come too; `source` says so.

        Args:
            user: Id of a user; one that the release does not know has no stored history.
            history: Events that follow the stored history, oldest first: item ids, (item id, event kind) pairs, or
                events with a time. Negative kinds, such as `dislike`, only make their item a seen one. Items that the
                catalogue does not hold are left out, and named in `unknown_items` of the list.
            k: Length of the list; fewer items come where the rules allow no more.
            categories: At least one of these; empty allows all.
            exclude_categories: None of these.
            min_price: Lowest price; items without a price are left out.
            max_price: Highest price; items without a price are left out.
            available_only: Leave out unavailable items.
            exclude_seen: Leave out the items of the history.
            diversity: Weight of dissimilarity in MMR, 0 to 1; None takes that of `ranking`.

        Raises:
            ValueError: A setting is out of range, or there is no such event kind.
        """
        if user is not None and not isinstance(user, str):
            raise ValueError(f"expected the id of a user as text, got {user!r}")
        if isinstance(history, str):  # a string is a sequence of its letters
            raise ValueError(f'expected a list of history, got the text {history!r}; write ["{history}"]')
        rules = _rules(categories, exclude_categories, min_price, max_price, available_only)
        options = RecommendOptions(k=k, rules=rules, diversity=diversity, exclude_seen=exclude_seen)
        events = [_event(entry) for entry in history]
        return run(self._pipeline.recommend(self.release, user, events, options))

    def similar(
        self,
        item_id: str,
        *,
        k: int = 10,
        categories: Iterable[str] = (),
        exclude_categories: Iterable[str] = (),
        min_price: float | None = None,
        max_price: float | None = None,
        available_only: bool = True,
        diversity: float = 0.0,
    ) -> RecommendationList:
        """Items that look like one of the catalogue; for the settings see `recommend`.

        Raises:
            NotFoundError: The catalogue does not hold the item.
            ValueError: A setting is out of range.
        """
        rules = _rules(categories, exclude_categories, min_price, max_price, available_only)
        options = RecommendOptions(k=k, rules=rules, diversity=diversity)
        return run(self._pipeline.similar(self.release, item_id, options))

    def search(
        self,
        picture: str | os.PathLike[str] | bytes,
        *,
        k: int = 10,
        categories: Iterable[str] = (),
        exclude_categories: Iterable[str] = (),
        min_price: float | None = None,
        max_price: float | None = None,
        available_only: bool = True,
        diversity: float = 0.0,
    ) -> RecommendationList:
        """Items that look like a picture, given as a path or as the bytes of a file; for the settings see `recommend`.

        Raises:
            PictureError: It cannot be read or decoded.
            UnsupportedError: The model of the release knows items by id only.
            ValueError: A setting is out of range.
        """
        rules = _rules(categories, exclude_categories, min_price, max_price, available_only)
        options = RecommendOptions(k=k, rules=rules, diversity=diversity)
        return run(self._pipeline.search(self.release, _picture(picture), options))


def _event(entry: HistoryEntry) -> HistoryEvent:
    if isinstance(entry, HistoryEvent):
        return entry
    if isinstance(entry, str):
        return HistoryEvent(item_id=entry)
    item_id, kind = entry
    return HistoryEvent(item_id=item_id, kind=kind)


def _rules(
    categories: Iterable[str],
    exclude_categories: Iterable[str],
    min_price: float | None,
    max_price: float | None,
    available_only: bool,
) -> Rules:
    for name, names in (("categories", categories), ("exclude_categories", exclude_categories)):
        if isinstance(names, str):  # a string is an iterable of its letters
            raise ValueError(f'expected a list of {name}, got the text {names!r}; write ["{names}"]')
    return Rules(
        available_only=available_only,
        include_categories=frozenset(categories),
        exclude_categories=frozenset(exclude_categories),
        min_price=min_price,
        max_price=max_price,
    )


def _picture(picture: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(picture, bytes):
        return picture
    try:
        return Path(picture).read_bytes()
    except OSError as error:
        raise PictureError(
            f"expected a picture at {os.fspath(picture)}: {error.strerror}", code="missing"
        ) from None
