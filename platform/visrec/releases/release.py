"""A release: one folder with everything that serving needs. Each part is read on first use.

Files of a release:

    model.safetensors, model.json   the two towers; of a blend blend.safetensors, model.json and members/
    item_vectors.npy                float32 [I, D]
    picture_vectors.npy             float32 [I, D], from pixels alone; only where item vectors hold ids or attributes
    scores/                         index over [x, b] for recommendations
    similar/                        index over item or picture vectors of length 1, for visual similarity
    items.parquet                   the catalogue, as in the snapshot
    histories.arrow, users.arrow    see `histories`
    popular.npy                     item indices, most popular first
    popularity.npy                  events per week of each of them
    thumbnails/                     JPEG files by image row
    ranker/                         the learned ranker and its item features; only where there is one
    reactions.arrow                 users' negatives and views; only where there is a ranker
    metrics.json                    from the evaluation report
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.arrays import ITEM_VECTORS
from visrec.config import EVENT_KINDS, EventKind
from visrec.data.images import ImageFacts, ThumbnailStore
from visrec.errors import ArtifactError
from visrec.releases.catalogue import PopularItems, ReleaseCatalogue
from visrec.storage import ArtifactStore, TypedArtifact

# Imported where they are used: a replica without towers or index starts faster, and takes less memory, without torch
# and faiss.
if TYPE_CHECKING:
    from visrec.models import Recommender
    from visrec.ranking.item_features import ItemFeatures
    from visrec.ranking.ranker import Ranker
    from visrec.releases.histories import Histories
    from visrec.retrieval import Retriever

CURRENT = "current"
"""Name that stands for the live release."""

ITEMS = "items.parquet"
PICTURE_VECTORS = "picture_vectors.npy"
SCORE_INDEX = "scores"
SIMILAR_INDEX = "similar"
POPULAR = "popular.npy"
POPULARITY = "popularity.npy"
RANKER = "ranker"
METRICS = "metrics.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseFacts:
    """Facts of a release, as its manifest stores them.

    Attributes:
        images: Size and statistics of the pictures that the model was trained on.
        kinds: Number of events of each kind in the histories.
        event_weights: Weight of each kind of event; above 0 a positive, below 0 a negative.
        index: Kind of the two indexes, as in `ReleaseConfig.index`.
        has_pictures: Whether the model has a picture backbone, so that it can encode an uploaded picture.
        picture_vectors: Whether there are vectors from pixels alone beside the item vectors.
        ranker: Name of the learned ranker, None without one.
        forced: Conditions of the gate that `release.force` overrode, None where all were met.
    """

    images: ImageFacts
    kinds: Mapping[str, int]
    event_weights: Mapping[EventKind, float]
    index: str
    has_pictures: bool
    picture_vectors: bool
    ranker: str | None
    forced: str | None = None

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> "ReleaseFacts":
        """From the facts of a manifest.

        Raises:
            KeyError: A fact is missing.
        """
        return cls(
            images=ImageFacts.from_dict(facts["images"]),
            kinds=dict(facts["kinds"]),
            event_weights=dict(facts["event_weights"]),
            index=str(facts["index"]),
            has_pictures=bool(facts["has_pictures"]),
            picture_vectors=bool(facts["picture_vectors"]),
            ranker=facts.get("ranker"),  # missing in releases made before rankers were part of them
            forced=facts.get("forced"),  # missing in releases made before there was `release.force`
        )

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


class Release(TypedArtifact):
    """A finished release: all that recommending needs.

    Example:
        >>> release = Release.find(ArtifactStore("workspace"))                      # doctest: +SKIP
        >>> history = release.histories.find("u00017")                          # doctest: +SKIP
        >>> release.recommender().encode_users([history], release.item_vectors) # doctest: +SKIP
    """

    kind = "releases"

    def __repr__(self) -> str:
        counts, ranker = self.artifact.manifest.counts, self.facts.ranker
        return (
            f"Release({self.name!r}: {counts['num_items']:,.0f} items, {counts['num_users']:,.0f} users, "
            f"index {self.facts.index}, {f'ranker {ranker}' if ranker else 'no ranker'}, {self.location})"
        )

    @classmethod
    def find(cls, workspace: ArtifactStore, name: str = CURRENT) -> Self:
        """Open a release by name; `current` follows the live pointer.

        Raises:
            ArtifactError: There is none of this name.
        """
        return super().find(workspace, "latest" if name == CURRENT else name)

    def check(self) -> None:
        """Compare every file with its checksum, and load every part once; for the start of a server.

        Raises:
            ArtifactError: A part is missing or damaged, or made for another version of the model.
        """
        self.artifact.verify()
        for load in (
            self.recommender,
            self.score_index,
            self.similar_index,
            self.similar_vectors,
            self.ranker,
        ):
            load()
        for part in (self.catalogue, self.item_vectors, self.histories, self.popularity, self.metrics):
            assert part is not None

    @cached_property
    def facts(self) -> ReleaseFacts:
        """Facts of the manifest.

        Raises:
            ArtifactError: A fact is missing.
        """
        try:
            return ReleaseFacts.from_dict(self.artifact.manifest.facts)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"expected the facts of a release in the manifest of {self.artifact.location}: {error!r}"
            ) from None

    @cached_property
    def catalogue(self) -> ReleaseCatalogue:
        """Item facts, and search in them."""
        location = self.artifact.location / ITEMS
        try:
            return ReleaseCatalogue(pq.read_table(location.path, filesystem=location.filesystem))
        except (pa.ArrowInvalid, OSError) as error:
            raise ArtifactError(f"{location} is damaged or missing: {error}") from None

    @cached_property
    def item_vectors(self) -> NDArray[np.float32]:
        """Item vectors, float32 [I, D], memory-mapped."""
        return self._array(ITEM_VECTORS)

    @cached_property
    def histories(self) -> "Histories":
        """Last positives of each known user."""
        from visrec.releases.histories import Histories

        return Histories(self.artifact)

    @property
    def has_ranker(self) -> bool:
        """Whether a learned ranker orders the candidates."""
        return self.facts.ranker is not None

    @cached_property
    def reactions(self) -> "Histories | None":
        """Last negatives and views of each known user; None without a ranker."""
        from visrec.releases.histories import REACTIONS, Histories

        return Histories(self.artifact, REACTIONS) if self.has_ranker else None

    def ranker(self) -> "tuple[Ranker, ItemFeatures] | None":
        """The learned ranker and its item features; None where there is no ranker."""
        if not self.has_ranker:
            return None
        from visrec.ranking.item_features import ItemFeatures
        from visrec.ranking.ranker import Ranker

        folder = self.artifact.location / RANKER
        return Ranker.load(folder), ItemFeatures.load(folder, self.item_vectors)

    @cached_property
    def popularity(self) -> PopularItems:
        """The catalogue in order of popularity."""
        return PopularItems(items=self._array(POPULAR), events_per_week=self._array(POPULARITY))

    @cached_property
    def thumbnails(self) -> ThumbnailStore:
        """JPEG pictures by image row."""
        return ThumbnailStore(self.artifact)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Part of the evaluation report of the model: metrics, paired comparisons, split.

        Raises:
            ArtifactError: The file is missing or damaged.
        """
        place = self.artifact.location / METRICS
        try:
            found: dict[str, Any] = json.loads(place.read_text())
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{place} is damaged or missing: {error}") from None
        return found

    @property
    def default_kind(self) -> EventKind:
        """Kind of an event that is reported without one: the most frequent kind in the histories."""
        kinds = self.facts.kinds
        known: list[EventKind] = [kind for kind in EVENT_KINDS if kinds.get(kind)]
        return max(known, key=lambda kind: kinds[kind], default="click")

    @property
    def has_pictures(self) -> bool:
        """Whether the model can encode an uploaded picture."""
        return self.facts.has_pictures

    def recommender(self) -> "Recommender":
        """The two towers."""
        from visrec.models import load_recommender

        return load_recommender(self.artifact.location)

    def score_index(self) -> "Retriever":
        """Index for recommendations: queries are [q, 1]."""
        return self._index(SCORE_INDEX)

    def similar_index(self) -> "Retriever":
        """Index for visual similarity by cosine: queries are vectors of length 1."""
        return self._index(SIMILAR_INDEX)

    def similar_vectors(self) -> NDArray[np.float32]:
        """The vectors of `similar_index`, not scaled: float32 [I, D]."""
        return self._array(PICTURE_VECTORS) if self.facts.picture_vectors else self.item_vectors

    def _index(self, folder: str) -> "Retriever":
        from visrec.retrieval import load_retriever

        return load_retriever(self.artifact.location / folder)

    def _array(self, file: str) -> NDArray[Any]:
        path = self.artifact.local_path(file)
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ArtifactError(f"{path} is damaged or missing: {error}") from None
        return array
