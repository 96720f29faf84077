"""Stages of the pipeline, wherever they run, and running the pipeline in this process.

A stage holds a part of each release, such as its `Encoder`, and is called with one of that part's methods. The type
checker compares the arguments with the method's own signature, so that no stage repeats it:

    ranked = await list_builder(release.name, ListBuilder.rank, candidates, rules, k=10)
"""

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from visrec.releases import Release

PartT = TypeVar("PartT")
PartT_co = TypeVar("PartT_co", covariant=True)
ResultT = TypeVar("ResultT")
P = ParamSpec("P")


class Stage(Protocol[PartT_co]):
    """Calls methods of a part of a release."""

    async def __call__(
        self,
        release: str,
        method: Callable[Concatenate[PartT_co, P], ResultT],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ResultT:
        """Result of the method, called on the part of the release of this name."""
        ...


class LocalStage(Generic[PartT]):
    """A stage in this process for a single release, loaded at the first call.

    Example:
        >>> retriever = LocalStage(release, CandidateRetriever.load)                               # doctest: +SKIP
        >>> run(retriever(release.name, CandidateRetriever.neighbours, 42, k=10)).items.tolist()   # doctest: +SKIP
        [7, 803, 44, 12, 5, 310, 99, 2, 61, 18]
    """

    def __init__(self, release: Release, load: Callable[[Release], PartT]) -> None:
        self._release = release
        self._load = load

    async def __call__(
        self,
        release: str,
        method: Callable[Concatenate[PartT, P], ResultT],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ResultT:
        """See `Stage`."""
        assert release == self._release.name, (release, self._release.name)
        return method(self._part, *args, **kwargs)

    @cached_property
    def _part(self) -> PartT:
        return self._load(self._release)


def run(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Result of a coroutine that never waits, such as a pipeline over local stages.

    Needs no event loop, and so also works where one runs already, as in a notebook.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: ResultT = finished.value
        return result
    coroutine.close()
    raise RuntimeError("expected a coroutine that never waits, got one that does")
