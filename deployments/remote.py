"""The deployments as the pipeline sees them: handles to other processes, with the errors unwrapped."""

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from visrec.errors import VisrecError
from visrec.ranking.user_state import UserState
from visrec.recommend.pipeline import Busy
from visrec.recommend.types import Candidates, Event, Ranked, Rules, Space, UserQuery

AnswerT = TypeVar("AnswerT")


class RemoteEncoder:
    """The encoder behind a handle."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def encode_user(self, release: str, user_id: str | None, events: Sequence[Event]) -> UserQuery:
        """See `Encoder.encode_user`."""
        answer: UserQuery = await unwrapped(self._handle.encode_user.remote(release, user_id, events))
        return answer

    async def encode_picture(self, release: str, data: bytes) -> NDArray[np.float32]:
        """See `Encoder.encode_picture`."""
        answer: NDArray[np.float32] = await unwrapped(self._handle.encode_picture.remote(release, data))
        return answer


class RemoteRetriever:
    """The retriever behind a handle."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def search(
        self, release: str, space: Space, vector_D: NDArray[np.float32], k: int, exclude: NDArray[np.int32]
    ) -> Candidates:
        """See `CandidateRetriever.search`."""
        answer: Candidates = await unwrapped(self._handle.search.remote(release, space, vector_D, k, exclude))
        return answer

    async def neighbours(self, release: str, item: int, k: int) -> Candidates:
        """See `CandidateRetriever.neighbours`."""
        answer: Candidates = await unwrapped(self._handle.neighbours.remote(release, item, k))
        return answer


class RemoteRanker:
    """The ranker behind a handle."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def rank(
        self,
        release: str,
        candidates: Candidates,
        rules: Rules,
        k: int,
        diversity: float,
        past: UserState | None = None,
    ) -> Ranked:
        """See `Ranker.rank`."""
        call = self._handle.rank.remote(release, candidates, rules, k, diversity, past)
        answer: Ranked = await unwrapped(call)
        return answer

    async def popular(self, release: str, rules: Rules, k: int) -> Ranked:
        """See `Ranker.popular`."""
        answer: Ranked = await unwrapped(self._handle.popular.remote(release, rules, k))
        return answer


async def unwrapped(answer: Awaitable[AnswerT]) -> AnswerT:
    """The answer; a VisrecError raised in the other process is raised here as itself.

    Raises:
        Busy: The other deployment's queue is full, or no replica of it is there.
    """
    try:
        return await answer
    except RayTaskError as error:
        if isinstance(error.cause, VisrecError):
            raise error.cause from None
        raise
    except (
        BackPressureError,
        DeploymentUnavailableError,
        RayError,
    ) as error:  # RayError: its process has just died
        raise Busy(str(error)) from error
