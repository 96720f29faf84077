"""A stage of the pipeline behind a handle to its Serve deployment, with Ray's errors translated."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, ReplicaUnavailableError

from visrec.deployments.problems import OverloadedError, StageFailedError
from visrec.errors import VisrecError

PartT = TypeVar("PartT")
ResultT = TypeVar("ResultT")
P = ParamSpec("P")
PING_TIMEOUT_S = 1.0


class RemoteStage(Generic[PartT]):
    """A `Stage` in the replicas of a deployment, which are `ReleaseActor`s.

    Args:
        name: For messages.
        handle: The deployment's handle.
    """

    def __init__(self, name: str, handle: Any) -> None:
        self._name = name
        self._handle = handle

    async def __call__(
        self,
        release: str,
        method: Callable[Concatenate[PartT, P], ResultT],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ResultT:
        """Result of the method, called in one of the replicas.

        Raises:
            VisrecError: The method raised it.
            OverloadedError: The replicas' queues are full, or there is no replica.
            StageFailedError: The replica died, or none of the deployment starts.
        """
        call = self._handle.call.remote(release, method.__name__, *args, **kwargs)
        result: ResultT = await translated(self._name, call)
        return result

    async def prepare(self, release: str) -> None:
        """Load a release in all replicas; one that starts later loads it at its first request.

        Raises:
            VisrecError: A replica cannot load it.
            StageFailedError: A replica died.
        """
        with suppress(OverloadedError):  # a deployment without a replica has nothing to prepare
            await translated(self._name, self._handle.broadcast("prepare", release).results_async())

    async def is_available(self) -> bool:
        """Whether a replica answers within a second."""
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                return bool(await translated(self._name, self._handle.ping.remote()))
        except (TimeoutError, OverloadedError, StageFailedError):
            return False


async def translated(stage: str, reply: Awaitable[ResultT]) -> ResultT:
    """The reply of a replica; its errors are raised as those that the ingress knows.

    Raises:
        VisrecError: The replica raised it.
        OverloadedError: The replicas' queues are full, or there is no replica.
        StageFailedError: The replica died, or none of the deployment starts.
    """
    try:
        return await reply
    except (
        RayTaskError
    ) as error:  # raised by the code in the replica; what is no VisrecError is a fault of ours
        if isinstance(error.cause, VisrecError):
            raise error.cause from None
        raise
    except (BackPressureError, ReplicaUnavailableError) as error:
        raise OverloadedError(f"the {stage} stage has no free replica") from error
    except (RayError, DeploymentUnavailableError) as error:  # the latter: its replicas do not start
        raise StageFailedError(f"the {stage} stage failed; retry") from error
