"""One config a workload, made of the parts. One YAML file may hold the sections of all of them."""

from pydantic import Field

from visrec.config.base import Config
from visrec.config.evaluation import EvaluationConfig
from visrec.config.ingest import IngestConfig
from visrec.config.model import ModelConfig
from visrec.config.ranker import RankerConfig
from visrec.config.serving import ReleaseConfig, ServeConfig
from visrec.config.training import TrainingConfig
from visrec.config.tune import TuneConfig


class DemoDataConfig(Config):
    """Size and nature of the demo shop."""

    num_items: int = Field(2000, ge=20, le=10_000_000)
    num_users: int = Field(3000, ge=10, le=100_000_000)
    num_events: int = Field(100_000, ge=100)
    """About so many rows in the log, dirt included."""
    image_size: int = Field(128, ge=32, le=1024)
    """Height and width in pixels of the drawn pictures."""
    days: int = Field(90, ge=2)
    """Length of the log."""
    dirt: float = Field(0.03, ge=0, le=0.5)
    """Share of rows that are duplicates, bots, unknown items, skewed clocks or malformed; the same share of pictures,
    divided by ten, is truncated or mislabelled."""


class RayConfig(Config):
    """How a workload reaches Ray."""

    address: str | None = None
    """null: the cluster that this process runs on (in a Ray job), else a local one of its own. `auto` or `host:port`:
    that cluster."""
    num_cpus: int | None = Field(None, ge=1)
    """Logical CPUs of a local cluster; null takes the machine's, but never under 4: Train workers, the tasks that feed
    them and Serve replicas must fit side by side on a laptop, and they share the real cores."""


class WorkloadConfig(Config):
    """What every workload has."""

    workspace: str = "workspace"
    """Root of all results: a path or any URI that pyarrow knows."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Reaches every random choice."""
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
    """Name of the snapshot under the workspace; `latest` is the last one ingested."""
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()


class TrainRankerWorkloadConfig(WorkloadConfig):
    """`visrec train-ranker`."""

    checkpoint: str = "latest"
    """Name of the checkpoint under the workspace; `latest` is the last one trained."""
    ranker: RankerConfig = RankerConfig()


class EvaluateWorkloadConfig(WorkloadConfig):
    """`visrec evaluate`."""

    checkpoint: str = "latest"
    """Name of the checkpoint under the workspace; `latest` is the last one trained."""
    evaluation: EvaluationConfig = EvaluationConfig()


class PublishWorkloadConfig(WorkloadConfig):
    """`visrec publish`."""

    checkpoint: str = "latest"
    report: str = "latest"
    """Evaluation report that the gate reads."""
    release: ReleaseConfig = ReleaseConfig()


class TuneWorkloadConfig(TrainWorkloadConfig):
    """`visrec tune`."""

    tune: TuneConfig = TuneConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    """How the candidate release is evaluated."""
    release: ReleaseConfig = ReleaseConfig()
    """What the candidate release must reach."""


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
    """Every section: what a YAML file may hold, and what `visrec demo` runs."""


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
