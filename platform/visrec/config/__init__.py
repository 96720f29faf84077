"""Typed settings: one class a part, nested into one a workload. The same object serves command, YAML and library."""

from visrec.config.base import EVENT_KINDS, NEGATIVE_KINDS, Config, EventKind
from visrec.config.evaluation import AttackConfig, EvaluationConfig
from visrec.config.ingest import Ingest
from visrec.config.load import assign, dump_yaml, json_schema, load_config, parse_config
from visrec.config.loss import LossConfig
from visrec.config.model import ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.config.phase import (
    ConsistencyAdversary,
    CoOccurrence,
    EmbeddingAdversary,
    LoraBlocks,
    LoraConfig,
    PhaseConfig,
    PixelAdversary,
    TopBlocks,
    Transitions,
)
from visrec.config.ranker import RankerConfig
from visrec.config.serving import ReleaseConfig, ServeConfig
from visrec.config.training import ScalingConfig, SplitConfig, TrainingConfig
from visrec.config.tune import ObjectiveConfig, Parameter, SchedulerConfig, SearchConfig, TuneConfig
from visrec.config.workloads import (
    WORKLOADS,
    DemoDataConfig,
    DemoDataJob,
    EvaluateJob,
    IngestJob,
    PipelineConfig,
    PublishJob,
    RayConfig,
    ServeJob,
    TrainJob,
    TrainRankerJob,
    TuneJob,
    WorkloadConfig,
)

__all__ = [
    "EVENT_KINDS",
    "NEGATIVE_KINDS",
    "WORKLOADS",
    "AttackConfig",
    "CoOccurrence",
    "Config",
    "ConsistencyAdversary",
    "DemoDataConfig",
    "DemoDataJob",
    "EmbeddingAdversary",
    "EvaluateJob",
    "EvaluationConfig",
    "EventKind",
    "Ingest",
    "IngestJob",
    "ItemTowerConfig",
    "LoraBlocks",
    "LoraConfig",
    "LossConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "Parameter",
    "PhaseConfig",
    "PipelineConfig",
    "PixelAdversary",
    "PublishJob",
    "RankerConfig",
    "RayConfig",
    "ReleaseConfig",
    "ScalingConfig",
    "SchedulerConfig",
    "SearchConfig",
    "ServeConfig",
    "ServeJob",
    "SplitConfig",
    "TopBlocks",
    "TrainJob",
    "TrainRankerJob",
    "TrainingConfig",
    "Transitions",
    "TuneConfig",
    "TuneJob",
    "UserTowerConfig",
    "WorkloadConfig",
    "assign",
    "dump_yaml",
    "json_schema",
    "load_config",
    "parse_config",
]
