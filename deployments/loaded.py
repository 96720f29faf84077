"""What a replica has loaded: the parts of the release that requests name, and of the one before.

Each request says which release it is about, so that its query vector and the index always come from the same one, also
while a new release goes live and replicas change over at different moments.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from visrec.releases import Release
from visrec.storage import Workspace

PartT = TypeVar("PartT")
KEPT = 2
"""Releases kept loaded: the live one and its predecessor, whose last requests may still be on their way."""


class ReleaseCache(Generic[PartT]):
    """Loads a part of a release when it is first asked for. Safe for use from several threads.

    Example:
        >>> rankers = ReleaseCache("workspace", Ranker.load)          # doctest: +SKIP
        >>> rankers.get("b06a0e3b9d5c").rank(candidates, Rules(), 10)   # doctest: +SKIP
    """

    def __init__(self, workspace: str, load: Callable[[Release], PartT]) -> None:
        self._workspace = Workspace(workspace)
        self._load = load
        self._parts: OrderedDict[str, PartT] = OrderedDict()
        self._lock = Lock()
        self._loading = Lock()  # apart: requests to what is loaded go on while another release loads

    def get(self, name: str) -> PartT:
        """The part of the release of this name.

        Raises:
            ArtifactError: There is no such release, or it is damaged.
        """
        part = self._find(name)
        if part is None:
            with self._loading:
                part = self._find(name)
                if part is None:
                    part = self._load(Release.open(self._workspace, name))
                    self._keep(name, part)
        return part

    def resolve(self, name: str) -> str:
        """The name of the release that is meant by a name or by `current`.

        Raises:
            ArtifactError: There is none.
        """
        return Release.open(self._workspace, name).name

    def _find(self, name: str) -> PartT | None:
        with self._lock:
            if name in self._parts:
                self._parts.move_to_end(name)
            return self._parts.get(name)

    def _keep(self, name: str, part: PartT) -> None:
        """Keep it, and drop what has not been used for longest."""
        with self._lock:
            self._parts[name] = part
            while len(self._parts) > KEPT:
                self._parts.popitem(last=False)


class ReleaseActor(Generic[PartT]):
    """A process that holds a part of the releases and answers for it.

    The methods of the deployments are plain functions, which Ray Serve runs in threads: the loop stays free for health
    checks and the next request while torch, faiss or numpy compute.
    """

    def __init__(self, workspace: str, release: str, load: Callable[[Release], PartT]) -> None:
        self._releases = ReleaseCache(workspace, load)
        self._releases.get(self._releases.resolve(release))

    def prepare(self, release: str) -> None:
        """Load a release before requests ask for it."""
        self._releases.get(release)

    def ping(self) -> bool:
        """Whether it answers."""
        return True
