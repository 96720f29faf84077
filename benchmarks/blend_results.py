"""Test metrics of the model that `visrec train` makes without a setting, by split protocol and order of equal times.

    python benchmarks/blend_results.py --config examples/demo.yaml --ranker
    python benchmarks/blend_results.py --config examples/movielens-posters.yaml --protocols leave_one_out \
        --tie-seeds 0 1 2

Of the config only the sections of data, the workspace, and how training is spread over processes are used: model and
training are the defaults. Ingests first, once for each order of events of equal times, and generates the demo shop if
the config names no log. Prints, for each protocol, the mean over the orders and the range, of the model, its members
alone, the model with its ranker, and the baselines. Results that the workspace already holds are not computed again.
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from typing import get_args

from rich.console import Console
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    EvaluationConfig,
    IngestWorkloadConfig,
    ModelConfig,
    PipelineConfig,
    SplitConfig,
    TrainingConfig,
    TrainRankerWorkloadConfig,
    TrainWorkloadConfig,
    load_config,
)
from visrec.config.training import Split
from visrec.reports.report import Report
from visrec.reports.tables import SCORER_TITLES
from visrec.workloads.demo import prepare_snapshot
from visrec.workloads.evaluate import evaluate
from visrec.workloads.ingest import ingest
from visrec.workloads.train import train
from visrec.workloads.train_ranker import train_ranker

CUTOFFS: dict[Split, int] = {"leave_one_out": 10, "global_time": 20, "cold_items": 10}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """The defaults on one snapshot under one protocol.

    Attributes:
        report: Report of the test part.
        train_seconds: Wall time of the training.
    """

    report: Report
    train_seconds: float


def main() -> None:
    """Run everything and print one table for each protocol."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/demo.yaml")
    parser.add_argument("--tie-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--protocols", nargs="+", default=list(CUTOFFS), choices=get_args(Split))
    parser.add_argument("--ranker", action="store_true", help="train and measure the ranker too")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=150)
    job = load_config(PipelineConfig, arguments.config, arguments.overrides)
    with ray_session(job.ray):
        tables = []
        for protocol in arguments.protocols:
            runs = [
                tested(job, protocol, snapshot_of(job, seed, console), arguments.ranker, console)
                for seed in arguments.tie_seeds
            ]
            tables.append(table_of(protocol, runs))
    for table in tables:
        console.print(table)


def snapshot_of(job: PipelineConfig, tie_seed: int, console: Console) -> str:
    """Name of the snapshot with this order of events of equal times."""
    if all(log.path is None for log in job.ingest.logs.values()):
        prepare_snapshot(job, console=console)
        return "latest"
    ingesting = job.project(IngestWorkloadConfig)
    return ingest(ingesting.replace(ingest=job.ingest.replace(tie_seed=tie_seed)), console=console).name


def tested(job: PipelineConfig, protocol: Split, snapshot: str, ranker: bool, console: Console) -> Tested:
    """Train without settings, and test."""
    training = TrainingConfig(
        split=SplitConfig(protocol=protocol),
        scaling=job.training.scaling,
        torch_threads=job.training.torch_threads,
    )
    plain = job.project(TrainWorkloadConfig).replace(
        snapshot=snapshot, model=ModelConfig(), training=training
    )
    started = time.perf_counter()
    checkpoint = train(plain, console=console)
    seconds = time.perf_counter() - started
    common = {"workspace": job.workspace, "seed": job.seed, "ray": job.ray, "checkpoint": checkpoint.name}
    if ranker and protocol == "leave_one_out":
        train_ranker(TrainRankerWorkloadConfig(**common), console=console)
    evaluation = EvaluationConfig(ks=(10, 20), list_size=CUTOFFS[protocol])
    report = evaluate(EvaluateWorkloadConfig(**common, evaluation=evaluation), console=console)
    return Tested(report=report, train_seconds=seconds)


def table_of(protocol: Split, runs: list[Tested]) -> Table:
    """Means and ranges over the runs."""
    k = CUTOFFS[protocol]
    metrics = (f"ndcg@{k}", f"hr@{k}", "recall@20", "auc")
    table = Table("scorer", *metrics, f"lead in ndcg@{k}", title=f"Test, {protocol}, no model settings")
    facts = [run.report.facts for run in runs]
    for scorer in facts[0].metrics:
        cells = [_spread([f.metrics[scorer][metric].mean for f in facts]) for metric in metrics]
        lead = f"{facts[0].paired[scorer][metrics[0]]:+.4f}" if scorer in facts[0].paired else ""
        table.add_row(SCORER_TITLES[scorer], *cells, lead)
    for member in facts[0].members:
        measured = [f.members[member] for f in facts if member in f.members]
        cells = [_spread([m["alone"][metric].mean for m in measured]) for metric in metrics]
        gains = _spread([m["gain"][metrics[0]].mean for m in measured])
        table.add_row(f"  {member} alone", *cells, f"gives {gains}")
    seconds = _spread([run.train_seconds for run in runs], ".0f")
    table.caption = f"{facts[0].num_users:,} users; training took {seconds} s"
    if facts[0].oracle_share is not None:
        table.caption += (
            f"; {statistics.mean((f.oracle_share or {})[metrics[0]] for f in facts):.1%} of the oracle"
        )
    return table


def _spread(values: list[float], spec: str = ".4f") -> str:
    mean = f"{statistics.mean(values):{spec}}"
    return mean if len(values) == 1 else f"{mean} ({min(values):{spec}}-{max(values):{spec}})"


if __name__ == "__main__":
    main()
