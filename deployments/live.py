"""Which release answers: the one that the workspace's pointer names, or one that is pinned."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from visrec.deployments.loaded import ReleaseCache
from visrec.errors import VisrecError
from visrec.releases import CURRENT, Release

logger = logging.getLogger(__name__)


class LiveRelease:
    """Follows the pointer `releases/current`; changes over only when the new release is loaded everywhere.

    Attributes:
        trouble: Why the wanted release does not answer, or None.
    """

    def __init__(self, workspace: str, prepare: Callable[[str], Awaitable[None]]) -> None:
        """Nothing is loaded yet.

        Args:
            workspace: Root of all results.
            prepare: Makes the other deployments load a release of this name.
        """
        self._releases = ReleaseCache(workspace, _with_catalogue)
        self._prepare = prepare
        self._wanted = CURRENT
        self._changing = asyncio.Lock()  # else a change that began earlier could undo a later one
        self._release: Release | None = None
        self.trouble: str | None = None

    @property
    def release(self) -> Release:
        """The release that answers now."""
        assert self._release is not None, "no release is live before the first `switch_to`"
        return self._release

    async def switch_to(self, name: str) -> None:
        """Change over to a release by name; `current` follows the pointer from now on.

        Raises:
            ArtifactError: There is no such release, or it is damaged; the one before goes on answering.
        """
        async with self._changing:
            await self._change(name)
            self._wanted = name

    async def refresh(self) -> None:
        """Look at the pointer once. If its release cannot be loaded, that is reported, and the one before goes on."""
        async with self._changing:
            if self._wanted != CURRENT:
                return
            try:
                await self._change(CURRENT)
            except VisrecError as error:
                if str(error) != self.trouble:
                    logger.error(
                        "the current release cannot be loaded, %s goes on answering: %s",
                        self.release.name,
                        error,
                    )
                self.trouble = str(error)

    async def follow(self, every_s: float) -> None:
        """Refresh without end; what goes wrong is logged and tried again, for nobody would notice if it ended."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.refresh()
            except Exception:
                logger.exception("cannot look for a new release, %s goes on answering", self.release.name)

    async def _change(self, wanted: str) -> None:
        name = await asyncio.to_thread(self._releases.resolve, wanted)
        if self._release is None or self._release.name != name:
            release = await asyncio.to_thread(self._releases.get, name)
            if self._release is not None:  # at the start, the others load the release by themselves
                await self._prepare(name)
            self._release = release
        self.trouble = None


def _with_catalogue(release: Release) -> Release:
    # Read now what requests need, so that none of them waits for it.
    for part in (release.catalogue, release.popularity, release.thumbnails, release.metrics):
        assert part is not None
    return release
