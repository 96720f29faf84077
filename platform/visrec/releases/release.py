"""Reading a release. Every part is read when it is first asked for: a deployment loads only what it works with.

Files of a release:

    model.safetensors, model.json   the two towers
    item_vectors.npy                float32 [I, D]
    picture_vectors.npy             float32 [I, D], from pixels alone; only where the item vectors know ids too
    scores/                         index over [x, b]: what a user may like
    similar/                        index over x or the picture vectors, of length 1: what looks alike
    items.parquet                   the catalogue, as in the snapshot
    histories.arrow, users.arrow    see `histories`
    popular.npy                     item indices, most popular first
    popularity.npy                  events a week of each of them
    thumbnails/                     JPEG files by image row
    ranker/                         the learned ranker and what it knows of the items; only where there is one
    reactions.arrow                 what users refused or only viewed; only where there is a ranker
    metrics.json                    from the evaluation report
"""

import io
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.config import EVENT_KINDS, EventKind
from visrec.data.images import ThumbnailStore
from visrec.errors import ArtifactError
from visrec.releases.catalogue import Catalogue, Popularity
from visrec.storage import Artifact, Workspace

# A replica imports torch and faiss only if it works with them: that saves seconds and memory in the others.
if TYPE_CHECKING:
    from visrec.models import Recommender
    from visrec.ranking.item_features import ItemFeatures
    from visrec.ranking.ranker import Ranker
    from visrec.releases.histories import Histories
    from visrec.retrieval import Retriever

CURRENT = "current"
"""Stands for the release that the pointer names."""


class Release:
    """A finished release.

    Example:
        >>> release = Release.open(Workspace("workspace"))                      # doctest: +SKIP
        >>> history = release.histories.find("u00017")                          # doctest: +SKIP
        >>> release.recommender().encode_users([history], release.item_vectors) # doctest: +SKIP
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    @classmethod
    def open(cls, workspace: Workspace, name: str = CURRENT) -> "Release":
        """Open by name; `current` follows the pointer.

        Raises:
            ArtifactError: There is none.
        """
        return cls(workspace.find("releases", "latest" if name == CURRENT else name))

    def check(self) -> None:
        """Load every part once.

        Raises:
            ArtifactError: A part is missing or damaged, or made for another version of the model.
        """
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

    @property
    def name(self) -> str:
        """Name of the artifact."""
        return self.artifact.name

    @property
    def facts(self) -> dict[str, Any]:
        """Facts of the manifest: `images`, `kinds` (events of each kind in the histories), `event_weights`, `index`."""
        return self.artifact.manifest.facts

    @cached_property
    def catalogue(self) -> Catalogue:
        """Item facts."""
        location = self.artifact.location / "items.parquet"
        try:
            return Catalogue(pq.read_table(location.path, filesystem=location.filesystem))
        except (pa.ArrowInvalid, OSError) as error:
            raise ArtifactError(f"{location} is damaged or missing: {error}") from None

    @cached_property
    def item_vectors(self) -> NDArray[np.float32]:
        """float32 [I, D], memory-mapped."""
        return self._array("item_vectors.npy")

    @cached_property
    def histories(self) -> "Histories":
        """What each known user did last."""
        from visrec.releases.histories import Histories

        return Histories(self.artifact)

    @property
    def has_ranker(self) -> bool:
        """Whether a learned ranker puts the candidates in order."""
        return self.facts.get("ranker") is not None

    @cached_property
    def reactions(self) -> "Histories | None":
        """What each known user refused or only viewed last; None without a ranker."""
        from visrec.releases.histories import REACTIONS, Histories

        return Histories(self.artifact, REACTIONS) if self.has_ranker else None

    def ranker(self) -> "tuple[Ranker, ItemFeatures] | None":
        """The learned ranker, and what its features know of the items; None where there is none."""
        if not self.has_ranker:
            return None
        from visrec.ranking.item_features import ItemFeatures
        from visrec.ranking.ranker import Ranker

        folder = self.artifact.location / "ranker"
        return Ranker.load(folder), ItemFeatures.load(folder, self.item_vectors)

    @cached_property
    def popularity(self) -> Popularity:
        """The catalogue by popularity."""
        return Popularity(items=self._array("popular.npy"), events_per_week=self._array("popularity.npy"))

    @cached_property
    def thumbnails(self) -> ThumbnailStore:
        """Pictures for people, by image row."""
        return ThumbnailStore(self.artifact)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What the evaluation report said of this model."""
        found: dict[str, Any] = json.loads((self.artifact.location / "metrics.json").read_text())
        return found

    @property
    def default_kind(self) -> EventKind:
        """The kind that a click without a kind is taken for: the most frequent of those that the model was shown."""
        kinds: dict[str, int] = self.facts["kinds"]
        known: list[EventKind] = [kind for kind in EVENT_KINDS if kinds.get(kind)]
        return max(known, key=lambda kind: kinds[kind], default="click")

    @property
    def has_pictures(self) -> bool:
        """Whether the model can encode a picture that is no item of the catalogue."""
        return bool(self.facts["has_pictures"])

    def recommender(self) -> "Recommender":
        """The two towers."""
        from visrec.models import Recommender

        return Recommender.load(self.artifact.location)

    def score_index(self) -> "Retriever":
        """What a user may like: queries are [q, 1]."""
        return self._index("scores")

    def similar_index(self) -> "Retriever":
        """What looks alike, by cosine: queries are vectors of length 1."""
        return self._index("similar")

    def similar_vectors(self) -> NDArray[np.float32]:
        """The vectors behind `similar_index`, not scaled: float32 [I, D]."""
        return self._array("picture_vectors.npy") if self.facts["picture_vectors"] else self.item_vectors

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


def save_array(release_folder: Any, file: str, array: NDArray[Any]) -> None:
    """Write an array of a release."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    (release_folder / file).write_bytes(buffer.getvalue())
