"""Cache of loaded releases: the live one, and the one before.

Each request names its release, so that its query vector and the index always come from the same one, also while a new
release goes live and processes change over at different moments.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from visrec.releases import Release
from visrec.storage import ArtifactStore

PartT = TypeVar("PartT")
MAX_RELEASES = 2
"""Releases kept loaded: the live one and its predecessor, whose last requests may still be on their way."""


class ReleaseCache(Generic[PartT]):
    """Parts of releases, each loaded at its first use. Safe for use from several threads.

    Example:
        >>> builders = ReleaseCache("workspace", ListBuilder.load)              # doctest: +SKIP
        >>> builders.get("b06a0e3b9d5c").popular(Rules(), k=10)                 # doctest: +SKIP
    """

    def __init__(self, workspace: str, load: Callable[[Release], PartT]) -> None:
        self._workspace = ArtifactStore(workspace)
        self._load = load
        self._parts: OrderedDict[str, PartT] = OrderedDict()
        self._lock = Lock()
        self._loading = Lock()  # apart: requests to a loaded release go on while another one loads

    def get(self, name: str) -> PartT:
        """The part of the release of this name.

        Raises:
            ArtifactError: There is no such release, or it is damaged; names the file.
        """
        part = self._find(name)
        if part is None:
            with self._loading:
                part = self._find(name)
                if part is None:
                    part = self._load(open_verified(self._workspace, name))
                    self._keep(name, part)
        return part

    def resolve(self, name: str) -> str:
        """Name of a release, given as such or as `current`.

        Raises:
            ArtifactError: There is none.
        """
        return Release.find(self._workspace, name).name

    def _find(self, name: str) -> PartT | None:
        with self._lock:
            if name in self._parts:
                self._parts.move_to_end(name)
            return self._parts.get(name)

    def _keep(self, name: str, part: PartT) -> None:
        """Keep the part, and drop the least recently used one."""
        with self._lock:
            self._parts[name] = part
            while len(self._parts) > MAX_RELEASES:
                self._parts.popitem(last=False)


def open_verified(workspace: ArtifactStore, name: str) -> Release:
    """Open a release and compare every file with its checksum.

    Reads all files once, thumbnails included: each process does it once for a release that it loads. Files of a remote
    workspace are compared where they are copied to this machine.

    Raises:
        ArtifactError: There is no such release, or it is damaged; names the file.
    """
    release = Release.find(workspace, name)
    if release.artifact.location.is_local:
        release.artifact.verify()
    return release
