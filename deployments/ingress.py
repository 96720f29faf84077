"""The ingress: HTTP on one side, the three stages on the other."""

import asyncio
from typing import Any

from starlette.types import ASGIApp

from visrec.config import ServeConfig
from visrec.deployments.api import create_api
from visrec.deployments.live import LiveRelease
from visrec.deployments.remote_stage import RemoteStage
from visrec.deployments.routes import GraphState, Service
from visrec.recommend.encoder import Encoder
from visrec.recommend.list_builder import ListBuilder
from visrec.recommend.pipeline import Pipeline
from visrec.recommend.retriever import CandidateRetriever


class IngressDeployment:
    """Answers HTTP requests; decides which release each is about.

    Its `user_config` is `{"release": name}`: changing it with `serve deploy` swaps the release in place. `current`
    follows the workspace's pointer.
    """

    def __init__(
        self, workspace: str, config: dict[str, Any], encoder: Any, retriever: Any, ranker: Any
    ) -> None:
        settings = ServeConfig(**config)
        encoder_stage = RemoteStage[Encoder]("encoder", encoder)
        retriever_stage = RemoteStage[CandidateRetriever]("retriever", retriever)
        ranker_stage = RemoteStage[ListBuilder]("ranker", ranker)
        self._stages: dict[str, RemoteStage[Any]] = {
            "encoder": encoder_stage,
            "retriever": retriever_stage,
            "ranker": ranker_stage,
        }
        self._live = LiveRelease(workspace, self._prepare)
        self._service = Service(
            live=self._live,
            pipeline=Pipeline(encoder_stage, retriever_stage, ranker_stage, settings.ranking),
            config=settings,
            graph_state=self._graph_state,
        )

    async def reconfigure(self, user_config: dict[str, str]) -> None:
        """Called by Ray Serve at the start and at each change of `user_config`."""
        await self._live.switch_to(user_config["release"])

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Called by Ray Serve after the constructor."""
        return create_api(self._service)

    async def _prepare(self, release: str) -> None:
        await asyncio.gather(*(stage.prepare(release) for stage in self._stages.values()))

    async def _graph_state(self) -> GraphState:
        available = await asyncio.gather(*(stage.is_available() for stage in self._stages.values()))
        return {
            name: "ok" if is_there else "unavailable"
            for name, is_there in zip(self._stages, available, strict=True)
        }
