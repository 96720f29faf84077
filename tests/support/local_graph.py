"""The serving graph in one process: the same actors as in the deployments, reached by threads instead of handles.

app = create_api(await local_service(workspace))
"""

import asyncio
from collections.abc import Callable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from visrec.config import ServeConfig
from visrec.deployments.actors import EncoderActor, ListBuilderActor, ReleaseActor, RetrieverActor
from visrec.deployments.live import LiveRelease
from visrec.deployments.routes import GraphState, Service
from visrec.recommend.pipeline import Pipeline
from visrec.releases import CURRENT
from visrec.storage import ArtifactStore

PartT = TypeVar("PartT")
ResultT = TypeVar("ResultT")
P = ParamSpec("P")


class ThreadedStage(Generic[PartT]):
    """A stage whose actor runs in threads of this process; records the arguments of its calls."""

    def __init__(self, actor: ReleaseActor[PartT]) -> None:
        self.actor = actor
        self.arguments: list[tuple[Any, ...]] = []
        self.keywords: list[dict[str, Any]] = []

    async def __call__(
        self,
        release: str,
        method: Callable[Concatenate[PartT, P], ResultT],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ResultT:
        self.arguments.append(args)
        self.keywords.append(dict(kwargs))
        result: ResultT = await asyncio.to_thread(self.actor.call, release, method.__name__, *args, **kwargs)
        return result


class LocalGraph:
    """All stages, loaded with the current release."""

    def __init__(self, workspace: ArtifactStore, config: ServeConfig) -> None:
        root = str(workspace.root)
        limits = (config.max_upload_bytes, config.max_upload_pixels)
        self.encoder = ThreadedStage(EncoderActor(root, CURRENT, *limits))
        self.retriever = ThreadedStage(RetrieverActor(root, CURRENT))
        self.list_builder = ThreadedStage(ListBuilderActor(root, CURRENT))
        self.pipeline = Pipeline(self.encoder, self.retriever, self.list_builder, config.ranking)

    async def prepare(self, release: str) -> None:
        actors: tuple[ReleaseActor[Any], ...] = (
            self.encoder.actor,
            self.retriever.actor,
            self.list_builder.actor,
        )
        for actor in actors:
            await asyncio.to_thread(actor.prepare, release)

    async def state(self) -> GraphState:
        return {"encoder": "ok", "retriever": "ok", "ranker": "ok"}


async def local_service(workspace: ArtifactStore, config: ServeConfig | None = None) -> Service:
    """A service that answers from the workspace's current release."""
    settings = config or ServeConfig()
    graph = LocalGraph(workspace, settings)
    live = LiveRelease(str(workspace.root), graph.prepare)
    await live.switch_to(CURRENT)
    return Service(live=live, pipeline=graph.pipeline, config=settings, graph_state=graph.state)
