"""Gain of the learned ranker over retrieval alone in test NDCG@10, and the calibration of its probabilities.

    python benchmarks/ranker_results.py --config examples/demo-towers.yaml --seeds 0 1 2

Each seed trains the two-tower model on the training part and a ranker on the validation part; both are tested once.
Ingests first, and generates the demo shop if the config names no log. Results that the workspace already holds are not
computed again.
"""

import argparse
import statistics
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    PipelineConfig,
    RankerConfig,
    SplitConfig,
    TrainRankerWorkloadConfig,
    TrainWorkloadConfig,
    load_config,
)
from visrec.config.ranker import POSITIVE
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.artifact import RankerArtifact, RankerReport
from visrec.ranking.calibration import expected_calibration_error
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.training_data import TrainingDataBuilder
from visrec.reports.report import ReportFacts
from visrec.storage import ArtifactStore
from visrec.workloads.demo import prepare_snapshot
from visrec.workloads.evaluate import evaluate
from visrec.workloads.train import train
from visrec.workloads.train_ranker import train_ranker

METRIC = "ndcg@10"


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/demo-towers.yaml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=160)
    job = load_config(PipelineConfig, arguments.config, arguments.overrides)
    job = job.replace(training=job.training.replace(split=SplitConfig()))
    with ray_session(job.ray):
        prepare_snapshot(job, console=console)
        results = {seed: measured(job, seed, console) for seed in arguments.seeds}
    print_table(results, console)
    print_tasks(results, console)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Numbers of one seed.

    Attributes:
        test: Report of the test part.
        ranker: Report of the ranker.
        calibration: Expected calibration error on the test part.
    """

    test: ReportFacts
    ranker: RankerReport
    calibration: float


def measured(job: PipelineConfig, seed: int, console: Console) -> Measured:
    """Report of the test part, and that of the ranker, for one seed of towers and ranker."""
    checkpoint = train(job.project(TrainWorkloadConfig).replace(seed=seed), console=console)
    ranker_job = job.project(TrainRankerWorkloadConfig).replace(seed=seed, checkpoint=checkpoint.name)
    ranker = train_ranker(ranker_job, console=console)
    evaluation = job.evaluation.replace(ranker=ranker.name, baselines=("item_knn", "ease", "oracle"))
    evaluate_job = job.project(EvaluateWorkloadConfig).replace(
        checkpoint=checkpoint.name, evaluation=evaluation
    )
    return Measured(
        test=evaluate(evaluate_job, console=console).facts,
        ranker=ranker.report,
        calibration=test_calibration(checkpoint, ArtifactStore(job.workspace), ranker, job.ranker),
    )


def test_calibration(
    checkpoint: Checkpoint, workspace: ArtifactStore, ranker: RankerArtifact, config: RankerConfig
) -> float:
    """Expected calibration error of "this candidate is what the user takes next" on the lists of the test part."""
    fitted, towers = ranker.ranker(), TwoTowerScorer.load(checkpoint)
    snapshot = checkpoint.snapshot(workspace)
    items = ItemFeatures.fit(
        snapshot, SplitConfig(), "test", recommender=towers.recommender, vectors_ID=towers.vectors_ID
    )
    builder = TrainingDataBuilder(
        snapshot=snapshot,
        split=SplitConfig(),
        towers=towers,
        item_features=items,
        names=fitted.names,
        config=config,
    )
    lists, _ = builder.build("test", np.ones(snapshot.num_users, np.bool_))
    probabilities = [
        fitted.probabilities(features[valid])[POSITIVE]
        for features, valid in zip(lists.features_UMF, lists.valid_UM, strict=True)
    ]
    return expected_calibration_error(np.concatenate(probabilities), lists.labels_UM[lists.valid_UM])


def print_table(results: dict[int, Measured], console: Console) -> None:
    """A row a seed, and the mean."""
    table = Table("seed", "retrieval", "with the ranker", "paired gain", "gain", "calibration error, test")
    shares = []
    for seed, result in results.items():
        metrics, gains = result.test.metrics, result.test.ranker_gain
        assert gains is not None
        gain, alone = gains[METRIC], metrics["model"][METRIC].mean
        shares.append(gain.mean / alone)
        table.add_row(
            str(seed),
            f"{alone:.4f}",
            f"{metrics['ranked'][METRIC].mean:.4f}",
            escape(f"{gain:+.4f}"),
            f"{shares[-1]:+.1%}",
            f"{result.calibration:.4f}",
        )
    table.caption = f"{METRIC}; mean gain {statistics.mean(shares):+.1%}"
    console.print(table)


def print_tasks(results: dict[int, Measured], console: Console) -> None:
    """Quality of each task on users held out of the ranker's training, mean over the seeds."""
    names = ("auc", "log_loss", "baseline_log_loss", "calibration_error", "precision", "recall", "f1")
    table = Table("task, validation", *names)
    tasks = [result.ranker.tasks for result in results.values()]
    for task in tasks[0]:
        values = [[float(getattr(found[task], name)) for found in tasks if task in found] for name in names]
        table.add_row(task, *(f"{statistics.mean(column):.4f}" for column in values))
    console.print(table)


if __name__ == "__main__":
    main()
