"""Typed settings: one class a part, nested into one a workload. The same object serves command, YAML and library."""

from visrec.config.base import EVENT_KINDS, NEGATIVE_KINDS, Config, EventKind, RenamedKeyWarning
from visrec.config.evaluation import AttackConfig, EvaluationConfig
from visrec.config.ingest import IngestConfig
from visrec.config.load import assign, dump_yaml, json_schema, load_config, parse_config, read_yaml
from visrec.config.loss import LossConfig
from visrec.config.model import ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.config.paths import NameOrPath, PathOrUri, with_absolute_paths
from visrec.config.phase import (
    ConsistencyAdversaryConfig,
    CoOccurrenceConfig,
    EmbeddingAdversaryConfig,
    LoraBlocksConfig,
    LoraConfig,
    PhaseConfig,
    PixelAdversaryConfig,
    TopBlocksConfig,
    TransitionsConfig,
)
from visrec.config.ranker import RankerConfig
from visrec.config.serving import ReleaseConfig, ServeConfig
from visrec.config.training import (
    VALIDATION_METRICS,
    MemberConfig,
    ScalingConfig,
    SplitConfig,
    TrainingConfig,
)
from visrec.config.tune import ObjectiveConfig, ParameterConfig, SchedulerConfig, SearchConfig, TuneConfig
from visrec.config.workloads import (
    WORKLOADS,
    DemoDataConfig,
    DemoDataWorkloadConfig,
    EvaluateWorkloadConfig,
    IngestWorkloadConfig,
    PipelineConfig,
    PublishWorkloadConfig,
    RayConfig,
    ServeWorkloadConfig,
    TrainRankerWorkloadConfig,
    TrainWorkloadConfig,
    TuneWorkloadConfig,
    WorkloadConfig,
)

__all__ = [
    "EVENT_KINDS",
    "NEGATIVE_KINDS",
    "VALIDATION_METRICS",
    "WORKLOADS",
    "AttackConfig",
    "CoOccurrenceConfig",
    "Config",
    "ConsistencyAdversaryConfig",
    "DemoDataConfig",
    "DemoDataWorkloadConfig",
    "EmbeddingAdversaryConfig",
    "EvaluateWorkloadConfig",
    "EvaluationConfig",
    "EventKind",
    "IngestConfig",
    "IngestWorkloadConfig",
    "ItemTowerConfig",
    "LoraBlocksConfig",
    "LoraConfig",
    "LossConfig",
    "MemberConfig",
    "ModelConfig",
    "NameOrPath",
    "ObjectiveConfig",
    "ParameterConfig",
    "PathOrUri",
    "PhaseConfig",
    "PipelineConfig",
    "PixelAdversaryConfig",
    "PublishWorkloadConfig",
    "RankerConfig",
    "RayConfig",
    "ReleaseConfig",
    "RenamedKeyWarning",
    "ScalingConfig",
    "SchedulerConfig",
    "SearchConfig",
    "ServeConfig",
    "ServeWorkloadConfig",
    "SplitConfig",
    "TopBlocksConfig",
    "TrainRankerWorkloadConfig",
    "TrainWorkloadConfig",
    "TrainingConfig",
    "TransitionsConfig",
    "TuneConfig",
    "TuneWorkloadConfig",
    "UserTowerConfig",
    "WorkloadConfig",
    "assign",
    "dump_yaml",
    "json_schema",
    "load_config",
    "parse_config",
    "read_yaml",
    "with_absolute_paths",
]
