"""Settings of releases and of serving."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from visrec.config.base import Config
from visrec.config.evaluation import FittedBaseline


class ReleaseConfig(Config):
    """Content of a release, and the gate that a checkpoint must pass to become one."""

    index: Literal["exact", "faiss_flat", "faiss_hnsw", "faiss_ivf"] = "faiss_flat"
    """Vector index: exact search in NumPy or in faiss (`faiss_flat`), or approximate search (`faiss_hnsw`,
    `faiss_ivf`)."""
    max_history: int = Field(200, ge=1)
    """Most recent events stored for each known user; at least the ranker's `max_history` is stored where there is a
    ranker."""
    min_metric: dict[str, float] = {}
    """Gate: least values of the report's test metrics, such as `{ndcg@10: 0.02}`."""
    beat_baseline: FittedBaseline | None = "popularity"
    """Gate: baseline that the model must beat significantly: the paired confidence interval of the difference lies
    above 0. null needs none to be beaten."""
    baseline_metric: str = "ndcg@10"
    """Metric in which the baseline must be beaten."""
    force: bool = False
    """Publish a model that the gate refuses all the same; the release then says why it was refused. `visrec publish
    --force` sets this key."""
    ranker: Literal["auto", "none"] = "auto"
    """`auto`: the release gets the ranker that the report measured, if its mean `baseline_metric` is higher than that
    of the two towers alone. `none`: no ranker; lists are ordered by the two towers' score."""
    activate: bool = True
    """Make the new release the current one, which servers serve."""


class AutoscalingConfig(Config):
    """Autoscaling of a deployment, by the names of Ray Serve's own options."""

    min_replicas: int = Field(1, ge=0)
    """Smallest number of replicas."""
    max_replicas: int = Field(2, ge=1)
    """Largest number of replicas."""
    target_ongoing_requests: float = Field(4.0, gt=0)
    """Average number of ongoing requests of a replica that scaling aims at."""
    upscale_delay_s: float = Field(5.0, ge=0)
    """Seconds of higher load before replicas are added."""
    downscale_delay_s: float = Field(60.0, ge=0)
    """Seconds of lower load before replicas are removed."""

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"expected min_replicas of at most max_replicas, got {self.min_replicas} and {self.max_replicas}"
            )
        return self


class DeploymentConfig(Config):
    """One deployment of the serving graph."""

    autoscaling: AutoscalingConfig = AutoscalingConfig()
    max_ongoing_requests: int = Field(32, ge=1)
    """Most requests that a replica works on at a time."""
    max_queued_requests: int = Field(256, ge=0)
    """Most requests that wait for a replica; further ones are answered with 503."""
    num_cpus: float = Field(0.2, ge=0)
    """Logical CPUs of a replica."""
    num_gpus: float = Field(0.0, ge=0)
    """GPUs of a replica."""


class RankingConfig(Config):
    """Retrieval and re-ranking of a recommendation list."""

    num_candidates: int = Field(200, ge=1, le=10_000)
    """Candidates that are retrieved for each list."""
    diversity: float = Field(0.1, ge=0, le=1)
    """Diversity weight of maximal marginal relevance (MMR): 0 orders by score alone, 1 by dissimilarity alone."""


class ServeConfig(Config):
    """The HTTP server and its graph of deployments."""

    renamed_keys: ClassVar[dict[str, str]] = {"follow_release_s": "release_poll_s"}

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` is all interfaces."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    haproxy: bool | None = None
    """Serve through HAProxy; null does so where its binary is installed and the cluster is this machine alone. Its
    statistics and metrics are then at free ports of 127.0.0.1. On a cluster of your own, Ray opens them (8404, 9101)
    on all interfaces without a password: firewall them."""
    max_upload_bytes: int = Field(5_000_000, ge=1000)
    """Largest request body of an image search, in bytes."""
    max_upload_pixels: int = Field(25_000_000, ge=1000, le=178_956_970)
    """Largest uploaded picture, in pixels."""
    request_timeout_s: float = Field(10.0, gt=0)
    """Seconds after which a request is answered with an error."""
    release_poll_s: float = Field(2.0, gt=0)
    """Seconds between two checks whether another release was made current."""
    ranking: RankingConfig = RankingConfig()
    ingress: DeploymentConfig = DeploymentConfig()
    encoder: DeploymentConfig = DeploymentConfig()
    retriever: DeploymentConfig = DeploymentConfig()
    ranker: DeploymentConfig = DeploymentConfig()
