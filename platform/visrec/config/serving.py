"""Settings of releases and of serving."""

from typing import Literal, Self

from pydantic import Field, model_validator

from visrec.config.base import Config


class ReleaseConfig(Config):
    """What goes into a release, and what it must reach to become one."""

    index: Literal["exact", "faiss_flat", "faiss_hnsw", "faiss_ivf"] = "faiss_flat"
    max_history: int = Field(200, ge=1)
    """Most recent events kept for each known user; never fewer than the ranker looks at."""
    min_metric: dict[str, float] = {}
    """Gate: test metrics that the report must reach, such as `{ndcg@10: 0.02}`."""
    beat_baseline: Literal["popularity", "recent_popularity", "item_knn", "ease"] | None = None
    """Gate: the model's lead over this baseline must lie above 0 with its whole paired interval."""
    baseline_metric: str = "ndcg@10"
    """Metric in which the baseline must be beaten."""
    ranker: Literal["auto", "none"] = "auto"
    """`auto`: the ranker that the report measured goes into the release, if it has a higher mean of `baseline_metric`
    than the two towers alone. `none`: their score decides."""
    activate: bool = True
    """Make the release the current one."""


class AutoscalingConfig(Config):
    """Ray Serve's own autoscaling names."""

    min_replicas: int = Field(1, ge=0)
    max_replicas: int = Field(2, ge=1)
    target_ongoing_requests: float = Field(4.0, gt=0)
    upscale_delay_s: float = Field(5.0, ge=0)
    downscale_delay_s: float = Field(60.0, ge=0)

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"expected min_replicas of at most max_replicas, got {self.min_replicas} and {self.max_replicas}"
            )
        return self


class DeploymentConfig(Config):
    """One deployment of the graph."""

    autoscaling: AutoscalingConfig = AutoscalingConfig()
    max_ongoing_requests: int = Field(32, ge=1)
    max_queued_requests: int = Field(256, ge=0)
    num_cpus: float = Field(0.2, ge=0)
    num_gpus: float = Field(0.0, ge=0)


class RankingConfig(Config):
    """Candidates, filters, diversity."""

    num_candidates: int = Field(200, ge=1, le=10_000)
    """Items that the retriever hands to the ranker."""
    diversity: float = Field(0.1, ge=0, le=1)
    """Weight of difference in MMR: 0 is the pure score, 1 is pure difference."""


class ServeConfig(Config):
    """The HTTP server and its graph."""

    host: str = "127.0.0.1"
    """Address to listen on; loopback unless told otherwise."""
    port: int = Field(8000, ge=0, le=65535)
    """0 takes a free port."""
    haproxy: bool | None = None
    """Serve through HAProxy: null uses it where its binary is installed and the cluster is this machine alone. Its
    statistics and metrics are then at free ports of 127.0.0.1. On a cluster of your own, Ray opens them (8404, 9101)
    on all interfaces without a password: firewall them."""
    max_upload_bytes: int = Field(5_000_000, ge=1000)
    max_upload_pixels: int = Field(25_000_000, ge=1000)
    request_timeout_s: float = Field(10.0, gt=0)
    follow_release_s: float = Field(2.0, gt=0)
    """How often the server looks whether another release has been made current."""
    ranking: RankingConfig = RankingConfig()
    ingress: DeploymentConfig = DeploymentConfig()
    encoder: DeploymentConfig = DeploymentConfig()
    retriever: DeploymentConfig = DeploymentConfig()
    ranker: DeploymentConfig = DeploymentConfig()
