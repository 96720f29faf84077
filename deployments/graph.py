"""The Serve graph: ingress, encoder, retriever and ranker, bound by a typed function. Nothing is loaded at import.

serve.run(build_app(ServeArgs(workspace="workspace")))     from Python
serve deploy deployments/serve.yaml                        on a cluster
"""

import os
from typing import Any

from ray import serve
from ray.serve import Application

from visrec.config import Config, ServeConfig
from visrec.config.serving import DeploymentConfig
from visrec.deployments.actors import EncoderActor, ListBuilderActor, RetrieverActor
from visrec.deployments.ingress import IngressDeployment
from visrec.releases import CURRENT

REFUSAL_ROOM = 32
"""Requests that Ray Serve admits to the ingress beyond the ingress's own bounds, so that the ingress refuses them."""
SHUTDOWN_S = 2.0
MAX_STARTS = 2
"""Starts of a replica before its deployment fails: a release that cannot be loaded stays so."""


class ServeArgs(Config):
    """Arguments of the graph."""

    workspace: str
    """Root of all results."""
    release: str = CURRENT
    """Name of a release, or `current` to follow the workspace's pointer."""
    serve: ServeConfig = ServeConfig()


def build_app(args: ServeArgs) -> Application:
    """Bind ingress, encoder, retriever and ranker."""
    # Replicas have a working folder of their own.
    workspace = args.workspace if "://" in args.workspace else os.path.abspath(args.workspace)
    config = args.serve
    encoder = _deployment(EncoderActor, "Encoder", config.encoder).bind(
        workspace, args.release, config.max_upload_bytes, config.max_upload_pixels
    )
    retriever = _deployment(RetrieverActor, "Retriever", config.retriever).bind(workspace, args.release)
    ranker = _deployment(ListBuilderActor, "Ranker", config.ranker).bind(workspace, args.release)
    bounds = config.ingress.max_ongoing_requests + config.ingress.max_queued_requests
    ingress = _deployment(
        serve.ingress()(IngressDeployment),
        "Ingress",
        config.ingress.replace(max_ongoing_requests=bounds + REFUSAL_ROOM),
        access_log=True,
        user_config={"release": args.release},
    )
    app: Application = ingress.bind(workspace, config.model_dump(mode="json"), encoder, retriever, ranker)
    return app


def _deployment(
    kind: type, name: str, config: DeploymentConfig, *, access_log: bool = False, **options: Any
) -> Any:
    return serve.deployment(
        kind,
        name=name,
        max_ongoing_requests=config.max_ongoing_requests,
        max_queued_requests=config.max_queued_requests,
        autoscaling_config=config.autoscaling.model_dump(),
        ray_actor_options={"num_cpus": config.num_cpus, "num_gpus": config.num_gpus},
        graceful_shutdown_timeout_s=SHUTDOWN_S,
        max_constructor_retry_count=MAX_STARTS,
        logging_config={"enable_access_log": access_log},  # the inner deployments' would repeat the ingress's
        max_surge_percent=100,  # with a single replica an update would stall the requests meanwhile
        **options,
    )
