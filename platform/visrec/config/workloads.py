"""One config class for each workload. One YAML file may hold the sections of all of them."""

from typing import ClassVar

from pydantic import Field, field_validator

from visrec.config.base import Config
from visrec.config.evaluation import EvaluationConfig
from visrec.config.ingest import IngestConfig
from visrec.config.keys import current_key
from visrec.config.model import ModelConfig
from visrec.config.paths import PathOrUri
from visrec.config.ranker import RankerConfig
from visrec.config.serving import ReleaseConfig, ServeConfig
from visrec.config.training import TrainingConfig
from visrec.config.tune import TuneConfig


class DemoDataConfig(Config):
    """The demo shop: generated pictures, users and interaction log."""

    renamed_keys: ClassVar[dict[str, str]] = {"dirt": "dirty_share"}

    num_items: int = Field(2000, ge=20, le=10_000_000)
    """Items of the catalogue."""
    num_users: int = Field(3000, ge=10, le=100_000_000)
    """Users in the log."""
    num_events: int = Field(100_000, ge=100)
    """Approximate number of rows in the log, dirty ones included."""
    image_size: int = Field(128, ge=32, le=1024)
    """Height and width in pixels of the pictures."""
    days: int = Field(90, ge=2)
    """Length of the log in days."""
    dirty_share: float = Field(0.03, ge=0, le=0.5)
    """Share of dirty rows in the log: duplicates, bots, unknown items, wrong clocks, malformed rows. A tenth of this
    share of the pictures is truncated or mislabelled."""
    popularity_weight: float = Field(0.0, ge=0, le=1)
    """Weight of popularity against the users' tastes, in what the shop shows and in what users click. 0: mostly tastes;
    1: tastes do not matter, and popular items are shown and clicked by everybody."""
    sequence_strength: float = Field(0.0, ge=0, le=0.95)
    """Probability that a click is followed by one on an item that goes with it: each item has three such companions, of
    another shape and often of its colour or style. 0: the order of clicks carries nothing but tastes."""


class RayConfig(Config):
    """The Ray cluster that a workload runs on."""

    address: str | None = None
    """`host:port` of a running cluster, or `auto` to find one. null: in a Ray job the job's cluster, else a local
    cluster that lives as long as the command."""
    num_cpus: int | None = Field(None, ge=1)
    """Logical CPUs of a local cluster. null takes the machine's number, but at least 4, so that training workers,
    data tasks and Serve replicas fit side by side on a laptop, where they share the physical cores."""


class WorkloadConfig(Config):
    """Settings of every workload."""

    workspace: PathOrUri = "workspace"
    """Root folder of all artifacts: a path, or a URI of any filesystem that pyarrow knows (`s3://`, `gs://`, ...)."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seed of all random numbers."""
    ray: RayConfig = RayConfig()


class DemoDataWorkloadConfig(WorkloadConfig):
    """`visrec demo-data`."""

    demo_data: DemoDataConfig = DemoDataConfig()


class IngestWorkloadConfig(WorkloadConfig):
    """`visrec ingest`."""

    ingest: IngestConfig = IngestConfig()


class TrainWorkloadConfig(WorkloadConfig):
    """`visrec train`."""

    snapshot: str = "latest"
    """Name of the snapshot in the workspace; `latest` is the last one ingested."""
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()


class TrainRankerWorkloadConfig(WorkloadConfig):
    """`visrec train-ranker`."""

    checkpoint: str = "latest"
    """Name of the checkpoint in the workspace; `latest` is the last one trained."""
    ranker: RankerConfig = RankerConfig()


class EvaluateWorkloadConfig(WorkloadConfig):
    """`visrec evaluate`."""

    checkpoint: str = "latest"
    """Name of the checkpoint in the workspace; `latest` is the last one trained."""
    evaluation: EvaluationConfig = EvaluationConfig()


class PublishWorkloadConfig(WorkloadConfig):
    """`visrec publish`."""

    checkpoint: str = "latest"
    """Name of the checkpoint in the workspace; `latest` is the last one trained."""
    report: str = "latest"
    """Name of the evaluation report that the gate reads; `latest` is the last one written."""
    release: ReleaseConfig = ReleaseConfig()


class TuneWorkloadConfig(TrainWorkloadConfig):
    """`visrec tune`."""

    tune: TuneConfig = TuneConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    """Evaluation of the candidate release."""
    release: ReleaseConfig = ReleaseConfig()
    """Content and gate of the candidate release."""

    @field_validator("tune")
    @classmethod
    def _with_current_keys(cls, study: TuneConfig) -> TuneConfig:
        return study.with_keys(lambda key: current_key(TrainWorkloadConfig, key))


class ServeWorkloadConfig(WorkloadConfig):
    """`visrec serve`."""

    serve: ServeConfig = ServeConfig()


class PipelineConfig(
    DemoDataWorkloadConfig,
    IngestWorkloadConfig,
    TuneWorkloadConfig,
    TrainRankerWorkloadConfig,
    EvaluateWorkloadConfig,
    PublishWorkloadConfig,
    ServeWorkloadConfig,
):
    """All sections: the content of a YAML file, and the config of `visrec demo`."""


WORKLOADS: dict[str, type[WorkloadConfig]] = {
    "demo-data": DemoDataWorkloadConfig,
    "ingest": IngestWorkloadConfig,
    "train": TrainWorkloadConfig,
    "tune": TuneWorkloadConfig,
    "train-ranker": TrainRankerWorkloadConfig,
    "evaluate": EvaluateWorkloadConfig,
    "publish": PublishWorkloadConfig,
    "serve": ServeWorkloadConfig,
    "demo": PipelineConfig,
}
"""Config class of each command."""
