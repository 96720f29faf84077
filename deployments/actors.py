"""The three stages as Serve deployments: thin actors, each around a cache of its part of the releases."""

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from visrec.recommend.encoder import Encoder, PictureDecoder
from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.release_cache import ReleaseCache
from visrec.recommend.retriever import CandidateRetriever
from visrec.releases import Release

PartT = TypeVar("PartT")


class ReleaseActor(Generic[PartT]):
    """A process that holds a part of the releases and calls its methods; the other end of a `RemoteStage`.

    The methods are plain functions, which Ray Serve runs in threads: the loop stays free for health checks and the next
    request while torch, faiss or numpy compute.
    """

    def __init__(self, workspace: str, release: str, load: Callable[[Release], PartT]) -> None:
        self._releases = ReleaseCache(workspace, load)
        self._releases.get(self._releases.resolve(release))

    def call(self, release: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Result of a method of the part of a release."""
        return getattr(self._releases.get(release), method)(*args, **kwargs)

    def prepare(self, release: str) -> None:
        """Load a release before the first request for it."""
        self._releases.get(release)

    def ping(self) -> bool:
        """Whether the process answers."""
        return True


class EncoderActor(ReleaseActor[Encoder]):
    """The encoder of each release; all share one picture decoder with its limits."""

    def __init__(self, workspace: str, release: str, max_bytes: int, max_pixels: int) -> None:
        decoder = PictureDecoder(max_bytes=max_bytes, max_pixels=max_pixels)
        super().__init__(workspace, release, partial(Encoder.load, decoder=decoder))


class RetrieverActor(ReleaseActor[CandidateRetriever]):
    """The retriever of each release."""

    def __init__(self, workspace: str, release: str) -> None:
        super().__init__(workspace, release, CandidateRetriever.load)


class ListBuilderActor(ReleaseActor[ListBuilder]):
    """The list builder of each release."""

    def __init__(self, workspace: str, release: str) -> None:
        super().__init__(workspace, release, ListBuilder.load)
