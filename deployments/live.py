"""The live release: the one that the workspace's pointer names, or one that is pinned."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from visrec.deployments.problems import StageFailedError
from visrec.errors import ArtifactError, VisrecError, first_line
from visrec.recommend.release_cache import ReleaseCache
from visrec.releases import CURRENT, Release

logger = logging.getLogger(__name__)
RETRY_DAMAGED_S = 60.0


class LiveRelease:
    """The release that requests are answered from; follows the pointer `releases/current`.

    It changes only once the new release is loaded in all stages.

    Attributes:
        last_error: Why the release to switch to is not live yet, or None.
    """

    def __init__(self, workspace: str, prepare: Callable[[str], Awaitable[None]]) -> None:
        """No release is live before the first `switch_to`.

        Args:
            workspace: Root of all results.
            prepare: Loads the release of a name in the stages.
        """
        self._releases = ReleaseCache(workspace, _preloaded)
        self._prepare = prepare
        self._target = CURRENT
        self._changing = asyncio.Lock()  # else a change that began earlier could undo a later one
        self._release: Release | None = None
        self._damaged: str | None = None
        self._retry_at = 0.0
        self.last_error: str | None = None

    @property
    def release(self) -> Release:
        """The live release."""
        assert self._release is not None, "no release is live before the first `switch_to`"
        return self._release

    async def switch_to(self, name: str) -> None:
        """Make a release live by name; `current` follows the pointer from now on.

        Raises:
            ArtifactError: There is no such release, or it is damaged; the one before stays live.
        """
        async with self._changing:
            await self._change(await asyncio.to_thread(self._releases.resolve, name))
            self._target = name

    async def refresh(self) -> None:
        """Read the pointer once. If its release cannot be loaded, `last_error` says why, and the one before stays live.

        A damaged release is read again after `RETRY_DAMAGED_S` at the earliest, since its checksums take time.
        """
        async with self._changing:
            if self._target != CURRENT:
                return
            name = None
            try:
                name = await asyncio.to_thread(self._releases.resolve, CURRENT)
                if name != self._damaged or time.monotonic() >= self._retry_at:
                    await self._change(name)
            except (VisrecError, StageFailedError) as error:
                if isinstance(error, ArtifactError):
                    self._damaged, self._retry_at = name, time.monotonic() + RETRY_DAMAGED_S
                if str(error) != self.last_error:
                    logger.error(
                        "the current release cannot be loaded, %s stays live: %s", self.release.name, error
                    )
                self.last_error = str(error)

    async def follow(self, every_s: float) -> None:
        """Refresh without end. Unexpected errors are logged, and the next round tries again."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.refresh()
            except Exception as error:
                reason = f"{type(error).__name__}: {first_line(error)}"
                if reason != self.last_error:  # a fault that stays is logged once, not at every round
                    logger.exception("cannot follow the current release, %s stays live", self.release.name)
                self.last_error = reason

    async def _change(self, name: str) -> None:
        if self._release is None or self._release.name != name:
            release = await asyncio.to_thread(self._releases.get, name)
            if self._release is not None:  # at the start, the stages load it by themselves
                await self._prepare(name)
            self._release = release
        self._damaged = None
        self.last_error = None


def _preloaded(release: Release) -> Release:
    # Read the parts that requests need, so that none of them waits.
    for part in (release.catalogue, release.popularity, release.thumbnails, release.metrics):
        assert part is not None
    return release
