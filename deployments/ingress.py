"""The ingress: HTTP on one side, the three other deployments on the other."""

import asyncio
from contextlib import suppress
from typing import Any, Literal

from starlette.types import ASGIApp

from visrec.config import ServeConfig
from visrec.deployments.api import create_api
from visrec.deployments.live import LiveRelease
from visrec.deployments.remote import RemoteEncoder, RemoteRanker, RemoteRetriever, unwrapped
from visrec.deployments.service import GraphState, Service
from visrec.recommend.pipeline import Busy, Pipeline

PING_TIMEOUT_S = 1.0


class IngressDeployment:
    """Answers HTTP requests; decides which release they are about.

    Its `user_config` is `{"release": name}`: changing it with `serve deploy` swaps the release in place. `current`
    follows the workspace's pointer.
    """

    def __init__(
        self, workspace: str, config: dict[str, Any], encoder: Any, retriever: Any, ranker: Any
    ) -> None:
        self._handles = {"encoder": encoder, "retriever": retriever, "ranker": ranker}
        settings = ServeConfig(**config)
        self._live = LiveRelease(workspace, self._prepare)
        pipeline = Pipeline(
            RemoteEncoder(encoder), RemoteRetriever(retriever), RemoteRanker(ranker), settings.ranking
        )
        self._service = Service(self._live, pipeline, settings, self._graph_state)

    async def reconfigure(self, user_config: dict[str, str]) -> None:
        """Called by Ray Serve at the start and at each change of `user_config`."""
        await self._live.switch_to(user_config["release"])

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Called by Ray Serve after the constructor."""
        return create_api(self._service)

    async def _prepare(self, release: str) -> None:
        # All replicas at once; one that starts later loads the release at its first request for it.
        answers = [handle.broadcast("prepare", release).results_async() for handle in self._handles.values()]
        with suppress(Busy):  # a deployment without a replica has nothing to prepare
            await asyncio.gather(*(unwrapped(answer) for answer in answers))

    async def _graph_state(self) -> GraphState:
        states = await asyncio.gather(*(_state(handle) for handle in self._handles.values()))
        return dict(zip(self._handles, states, strict=True))


async def _state(handle: Any) -> Literal["ok", "unavailable"]:
    try:
        async with asyncio.timeout(PING_TIMEOUT_S):
            await unwrapped(handle.ping.remote())
    except (TimeoutError, Busy):
        return "unavailable"
    return "ok"
