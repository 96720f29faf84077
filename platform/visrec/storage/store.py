"""Artifacts under one root: a folder for each kind, in it a folder for each artifact and a pointer to one of them."""

import time
from collections.abc import Mapping
from typing import Literal

from pyarrow import fs as pafs

from visrec.config.base import Config
from visrec.errors import ArtifactError
from visrec.storage.artifact import MANIFEST, Artifact, ArtifactWriter
from visrec.storage.location import Location

ArtifactKind = Literal["snapshots", "activations", "checkpoints", "studies", "rankers", "reports", "releases"]

LEFTOVERS_SECONDS = 86_400.0
"""Age at which an unfinished folder counts as left behind by a killed run, from its last change."""

_MADE_BY: dict[ArtifactKind, str] = {
    "snapshots": "visrec ingest",
    "activations": "visrec train",
    "checkpoints": "visrec train",
    "studies": "visrec tune",
    "rankers": "visrec train-ranker",
    "reports": "visrec evaluate",
    "releases": "visrec publish",
}


class ArtifactStore:
    """Finds and creates artifacts under one root, and moves the pointers `latest` and `current`.

    Example:
        >>> workspace = ArtifactStore("workspace")                                   # doctest: +SKIP
        >>> workspace.find("snapshots").manifest.counts["num_items"]             # doctest: +SKIP
        2000.0
    """

    def __init__(self, uri: str) -> None:
        self.root = Location.parse(uri)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r})"

    def location(self, kind: ArtifactKind, name: str) -> Location:
        """Folder of the artifact of this name, whether or not it exists."""
        return self.root / kind / name

    def has(self, kind: ArtifactKind, name: str) -> bool:
        """Whether there is a finished artifact of this name."""
        return (self.location(kind, name) / MANIFEST).exists()

    def find(self, kind: ArtifactKind, name: str = "latest") -> Artifact:
        """Open an artifact by name; `latest` follows the pointer (of releases: to the current one).

        Raises:
            ArtifactError: There is none; the message lists the existing names, or the command that makes one.
        """
        found = self.pointed(kind) if name == "latest" else name
        if found is None:
            raise ArtifactError(f"no {kind} in {self.root} yet; make one with `{_MADE_BY[kind]}`")
        if not self.has(kind, found):
            known = ", ".join(self.names(kind)) or "none"
            raise ArtifactError(f"expected one of the {kind} in {self.root} ({known}), got {found!r}")
        return Artifact.open(self.location(kind, found))

    def names(self, kind: ArtifactKind) -> list[str]:
        """Names of all finished artifacts of a kind, sorted."""
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
        """A writer for a new artifact (see `ArtifactWriter`). Deletes unfinished folders that killed runs left behind.

        Args:
            kind: Kind of the artifact.
            name: Its name.
            config: Settings of the workload, for the manifest.
            parents: Kind and name of the artifacts that it is made from.
            token: The same value in all processes that write one artifact together; random by default.
        """
        folder = (self.root / kind).make_dirs()
        remove_leftovers(folder, older_than=LEFTOVERS_SECONDS)
        return ArtifactWriter(
            self.location(kind, name), kind, config=config, parents=parents or {}, token=token
        )

    def point(self, kind: ArtifactKind, name: str) -> None:
        """Point `latest` (of releases: `current`) at an artifact; on a local filesystem atomically.

        Raises:
            ArtifactError: There is no finished artifact of this name.
        """
        if not self.has(kind, name):
            raise ArtifactError(
                f"cannot make {name!r} the current one of the {kind}: it is missing or not finished"
            )
        self._pointer(kind).write_text(name + "\n")

    def pointed(self, kind: ArtifactKind) -> str | None:
        """Name that the pointer holds; None if there is no artifact yet."""
        pointer = self._pointer(kind)
        return pointer.read_text().strip() if pointer.exists() else None

    def _pointer(self, kind: ArtifactKind) -> Location:
        return self.root / kind / ("current" if kind == "releases" else "latest")


def remove_leftovers(folder: Location, *, older_than: float) -> list[Location]:
    """Delete unfinished artifacts that nobody is writing any more.

    On a local filesystem these are the hidden `.NAME.partial-TOKEN` folders. On an object store an unfinished artifact
    has its final name, and the next attempt overwrites it.

    Args:
        folder: Folder of one kind of artifacts, such as `<workspace>/snapshots`.
        older_than: Seconds since the last change of anything within.

    Returns:
        The deleted folders.
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
