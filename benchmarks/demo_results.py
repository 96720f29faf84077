"""Test metrics on the demo shop for each split protocol: the model on pictures, the same towers on ids, the baselines
and the oracle.

    python benchmarks/demo_results.py --config examples/demo-towers.yaml --seeds 0 1 2

The model on pictures trains for the config's number of epochs. The model on ids trains for the number that was best in
the validation of seed 0 under each protocol. All models and baselines are then fitted on the training and validation
parts and tested once. Ingests first, and generates the demo shop if the config names no log. Results that the workspace
already holds are not computed again.
"""

import argparse
import statistics
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    EvaluationConfig,
    PipelineConfig,
    SplitConfig,
    TrainWorkloadConfig,
    load_config,
)
from visrec.config.evaluation import BaselineName
from visrec.config.training import Split
from visrec.evaluation.bootstrap import Interval, intervals
from visrec.reports.report import Report
from visrec.workloads.demo import prepare_snapshot
from visrec.workloads.evaluate import evaluate
from visrec.workloads.train import train

CUTOFFS: dict[Split, int] = {"leave_one_out": 10, "global_time": 20, "cold_items": 10}
PIXELS, IDS = "visrec, pictures", "visrec, ids"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """Test reports of one model under one protocol.

    Attributes:
        reports: One report for each seed.
        k: Cut-off of the ranking metrics.
    """

    reports: list[Report]
    k: int

    def values(self, scorer: str, metric: str) -> list[float]:
        """Mean over users of each seed."""
        return [report.metrics[scorer][metric].mean for report in self.reports]

    def per_user(self, scorer: str) -> NDArray[np.float64]:
        """NDCG@k of each user, mean over the seeds."""
        columns = [report.per_user(scorer, f"ndcg@{self.k}") for report in self.reports]
        return np.asarray(np.mean(columns, axis=0))


def main() -> None:
    """Run everything and print one table for each protocol."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/demo-towers.yaml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--protocols", nargs="+", default=list(CUTOFFS), choices=get_args(Split))
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=150)
    job = load_config(PipelineConfig, arguments.config, arguments.overrides)
    with ray_session(job.ray):
        prepare_snapshot(job, console=console)
        for protocol in arguments.protocols:
            models = {PIXELS: tested(job, protocol, arguments.seeds, console)}
            if protocol != "cold_items":  # a model on ids knows nothing of unseen items
                models[IDS] = tested(of_ids(job), protocol, arguments.seeds, console)
            print_table(protocol, models, console)


def of_ids(job: PipelineConfig) -> PipelineConfig:
    """The config with item ids in the place of pictures."""
    item = job.model.item.replace(backbone=None, id_embedding=True, dropout=0.3)
    return job.replace(model=job.model.replace(item=item))


def tested(job: PipelineConfig, protocol: Split, seeds: list[int], console: Console) -> Tested:
    """Train on the training and validation parts with each seed, and test."""
    k = CUTOFFS[protocol]
    phase = job.training.phases[0]
    if job.model.item.backbone is None:
        split = SplitConfig(protocol=protocol)
        epochs = train(with_split(job, split, phase.epochs), console=console).epochs
        num_epochs = 1 + max(range(len(epochs)), key=lambda e: epochs[e].metrics["ndcg@10"])
    else:
        num_epochs = phase.epochs
    baselines: tuple[BaselineName, ...] = ("popularity", "recent_popularity", "item_knn", "ease", "oracle")
    if protocol == "cold_items":
        baselines = ("oracle",)
    evaluation = EvaluationConfig(ks=(10, 20), list_size=k, baselines=baselines, ranker="none")
    reports = []
    for seed in seeds:
        refit = with_split(
            job, SplitConfig(protocol=protocol, fit_on="train_and_validation"), num_epochs
        ).replace(seed=seed)
        checkpoint = train(refit, console=console)
        evaluate_job = EvaluateWorkloadConfig(
            workspace=job.workspace, checkpoint=checkpoint.name, evaluation=evaluation, seed=0, ray=job.ray
        )
        reports.append(evaluate(evaluate_job, console=console))
    return Tested(reports=reports, k=k)


def with_split(job: PipelineConfig, split: SplitConfig, num_epochs: int) -> TrainWorkloadConfig:
    """The training config with another split and number of epochs."""
    phase = job.training.phases[0].replace(epochs=num_epochs)
    return job.project(TrainWorkloadConfig).replace(
        training=job.training.replace(split=split, phases=(phase,))
    )


def print_table(protocol: Split, models: dict[str, Tested], console: Console) -> None:
    """Print means over seeds, and the lead of the first model over the others, paired by user."""
    first = next(iter(models.values()))
    metrics = (f"ndcg@{first.k}", f"recall@{first.k}", "auc")
    table = Table("scorer", *metrics, f"lead in ndcg@{first.k}", title=f"Test, {protocol}")
    for name, model in models.items():
        cells = [_spread(model.values("model", metric)) for metric in metrics]
        table.add_row(name, *cells, "" if model is first else _lead(first, model, "model"))
    for scorer in first.reports[0].metrics:
        if scorer != "model":
            cells = [f"{first.values(scorer, metric)[0]:.4f}" for metric in metrics]
            table.add_row(scorer, *cells, _lead(first, first, scorer))
    share = statistics.mean(first.values("model", metrics[0])) / first.values("oracle", metrics[0])[0]
    table.caption = f"{first.reports[0].num_users:,} users; {share:.1%} of the oracle"
    console.print(table)


def _lead(first: Tested, other: Tested, scorer: str) -> str:
    found: Interval = intervals(
        {"lead": first.per_user("model") - other.per_user(scorer)}, num_samples=2000, seed=0
    )["lead"]
    return f"{found:+.4f}"


def _spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})"


if __name__ == "__main__":
    main()
