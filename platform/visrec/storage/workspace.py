"""The root of all results: one folder a kind, one folder an artifact, and a pointer to the newest of each kind."""

import time
from collections.abc import Mapping
from typing import Literal

from pyarrow import fs as pafs

from visrec.config.base import Config
from visrec.errors import ArtifactError
from visrec.storage.artifact import MANIFEST, Artifact, ArtifactWriter
from visrec.storage.location import Location


def remove_leftovers(folder: Location, *, older_than: float) -> list[Location]:
    """Delete the unfinished artifacts in a folder of artifacts, those in use left alone.

    On a local filesystem these are the hidden `.NAME.partial-TOKEN` folders. On an object store an unfinished artifact
    has its final name and is overwritten by the next attempt.

    Args:
        folder: Such as `<workspace>/snapshots`.
        older_than: Seconds in which nothing within may have changed.

    Returns:
        What was deleted.
    """
    if not folder.is_local:
        return []
    partial = [
        child for child in folder.children() if child.name.startswith(".") and ".partial-" in child.name
    ]
    stale = [child for child in partial if time.time() - _last_change(child) > older_than]
    for child in stale:
        child.delete()
    return stale


def _last_change(folder: Location) -> float:
    """Seconds since 1970 of the last change of the folder or of anything in it."""
    within = folder.filesystem.get_file_info(
        pafs.FileSelector(folder.path, allow_not_found=True, recursive=True)
    )
    return max((info.mtime_ns or 0) / 1e9 for info in [folder.filesystem.get_file_info(folder.path), *within])


ArtifactKind = Literal["snapshots", "activations", "checkpoints", "studies", "rankers", "reports", "releases"]

LEFTOVERS_SECONDS = 86_400.0
"""Unfinished folders in which nothing has changed for so long are those of a run that was killed."""

_MADE_BY: dict[ArtifactKind, str] = {
    "snapshots": "visrec ingest",
    "activations": "visrec train",
    "checkpoints": "visrec train",
    "studies": "visrec tune",
    "rankers": "visrec train-ranker",
    "reports": "visrec evaluate",
    "releases": "visrec publish",
}


class Workspace:
    """Finds, makes and points at artifacts under one root.

    Example:
        >>> workspace = Workspace("workspace")                                   # doctest: +SKIP
        >>> workspace.find("snapshots").manifest.counts["num_items"]             # doctest: +SKIP
        2000.0
    """

    def __init__(self, uri: str) -> None:
        self.root = Location.parse(uri)

    def location(self, kind: ArtifactKind, name: str) -> Location:
        """Where an artifact of this name is or would be."""
        return self.root / kind / name

    def has(self, kind: ArtifactKind, name: str) -> bool:
        """Whether a finished artifact of this name is there."""
        return (self.location(kind, name) / MANIFEST).exists()

    def find(self, kind: ArtifactKind, name: str = "latest") -> Artifact:
        """Open an artifact by name; `latest` (for releases: the current one) follows the pointer.

        Raises:
            ArtifactError: There is none; the message lists those that there are.
        """
        wanted = self.pointed(kind) if name == "latest" else name
        if wanted is None:
            raise ArtifactError(f"no {kind} in {self.root} yet; make one with `{_MADE_BY[kind]}`")
        if not self.has(kind, wanted):
            known = ", ".join(self.names(kind)) or "none"
            raise ArtifactError(f"expected one of the {kind} in {self.root} ({known}), got {wanted!r}")
        return Artifact.open(self.location(kind, wanted))

    def names(self, kind: ArtifactKind) -> list[str]:
        """Names of the finished artifacts of a kind, sorted."""
        return [
            c.name
            for c in (self.root / kind).children()
            if (c / MANIFEST).exists() and not c.name.startswith(".")
        ]

    def create(
        self,
        kind: ArtifactKind,
        name: str,
        *,
        config: Config,
        parents: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> ArtifactWriter:
        """A context that fills a new artifact; see `ArtifactWriter`. Removes what killed runs left beside it.

        Processes that fill one artifact together give the same `token`.
        """
        folder = (self.root / kind).make_dirs()
        remove_leftovers(folder, older_than=LEFTOVERS_SECONDS)
        return ArtifactWriter(
            self.location(kind, name), kind, config=config, parents=parents or {}, token=token
        )

    def point(self, kind: ArtifactKind, name: str) -> None:
        """Make `name` the one that `latest` means; a single atomic write.

        Raises:
            ArtifactError: There is no finished artifact of this name.
        """
        if not self.has(kind, name):
            raise ArtifactError(
                f"cannot make {name!r} the current one of the {kind}: it is not there or not finished"
            )
        self._pointer(kind).write_text(name + "\n")

    def pointed(self, kind: ArtifactKind) -> str | None:
        """The name that `latest` means, or None where there is no artifact yet."""
        pointer = self._pointer(kind)
        return pointer.read_text().strip() if pointer.exists() else None

    def _pointer(self, kind: ArtifactKind) -> Location:
        return self.root / kind / ("current" if kind == "releases" else "latest")
