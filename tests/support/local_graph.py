"""The serving graph in one process: the same parts as in the deployments, reached by threads instead of handles.

app = create_api(await local_service(workspace))
"""

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visrec.config import ServeConfig
from visrec.deployments.encoder import EncoderDeployment
from visrec.deployments.live import LiveRelease
from visrec.deployments.ranker import RankerDeployment
from visrec.deployments.retriever import RetrieverDeployment
from visrec.deployments.service import GraphState, Service
from visrec.ranking.user_state import UserState
from visrec.recommend.pipeline import Pipeline
from visrec.recommend.types import Candidates, Event, Ranked, Rules, Space, UserQuery
from visrec.releases import CURRENT
from visrec.storage import Workspace


class LocalEncoder:
    """The encoder in a thread."""

    def __init__(self, part: EncoderDeployment) -> None:
        self.part = part

    async def encode_user(self, release: str, user_id: str | None, events: Sequence[Event]) -> UserQuery:
        return await asyncio.to_thread(self.part.encode_user, release, user_id, events)

    async def encode_picture(self, release: str, data: bytes) -> NDArray[np.float32]:
        return await asyncio.to_thread(self.part.encode_picture, release, data)


class LocalRetriever:
    """The retriever in a thread; remembers how many candidates it was asked for."""

    def __init__(self, part: RetrieverDeployment) -> None:
        self.part = part
        self.asked: list[int] = []

    async def search(
        self, release: str, space: Space, vector_D: NDArray[np.float32], k: int, exclude: NDArray[np.int32]
    ) -> Candidates:
        self.asked.append(k)
        return await asyncio.to_thread(self.part.search, release, space, vector_D, k, exclude)

    async def neighbours(self, release: str, item: int, k: int) -> Candidates:
        self.asked.append(k)
        return await asyncio.to_thread(self.part.neighbours, release, item, k)


class LocalRanker:
    """The ranker in a thread."""

    def __init__(self, part: RankerDeployment) -> None:
        self.part = part

    async def rank(
        self,
        release: str,
        candidates: Candidates,
        rules: Rules,
        k: int,
        diversity: float,
        past: UserState | None = None,
    ) -> Ranked:
        return await asyncio.to_thread(self.part.rank, release, candidates, rules, k, diversity, past)

    async def popular(self, release: str, rules: Rules, k: int) -> Ranked:
        return await asyncio.to_thread(self.part.popular, release, rules, k)


class LocalGraph:
    """All parts, loaded with the current release."""

    def __init__(self, workspace: Workspace, config: ServeConfig) -> None:
        place = str(workspace.root)
        limits = (config.max_upload_bytes, config.max_upload_pixels)
        self.encoder = LocalEncoder(EncoderDeployment(place, CURRENT, *limits))
        self.retriever = LocalRetriever(RetrieverDeployment(place, CURRENT))
        self.ranker = LocalRanker(RankerDeployment(place, CURRENT))
        self.pipeline = Pipeline(self.encoder, self.retriever, self.ranker, config.ranking)

    async def prepare(self, release: str) -> None:
        for part in (self.encoder.part, self.retriever.part, self.ranker.part):
            await asyncio.to_thread(part.prepare, release)

    async def state(self) -> GraphState:
        return {"encoder": "ok", "retriever": "ok", "ranker": "ok"}


async def local_service(workspace: Workspace, config: ServeConfig | None = None) -> Service:
    """A service that answers from the workspace's current release."""
    settings = config or ServeConfig()
    graph = LocalGraph(workspace, settings)
    live = LiveRelease(str(workspace.root), graph.prepare)
    await live.switch_to(CURRENT)
    return Service(live, graph.pipeline, settings, graph.state)
