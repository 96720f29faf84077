"""Models that `visrec train` makes without a setting, against the best baseline, on three more shapes of demo data.

    python benchmarks/demo_shapes.py --workspace workspace/shapes

    sparse       about five positive items a user
    popularity   what is shown and clicked depends on popularity much more than on tastes
    sequences    most clicks are followed by one on an item that goes with the item before

Each shape is drawn into a folder of its own under the workspace, ingested, trained on without any setting of model or
training, and evaluated on the test part. Prints one Markdown table: NDCG@10 of the model, of the best baseline and of
the oracle, the model's lead over the baseline with its interval, paired by user, and seconds. Results that the
workspace already holds are not computed again; their seconds are those of finding them.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from visrec.cluster.session import ray_session
from visrec.config import (
    DemoDataWorkloadConfig,
    EvaluateWorkloadConfig,
    EvaluationConfig,
    PipelineConfig,
    TrainWorkloadConfig,
    load_config,
)
from visrec.data.snapshot import Snapshot
from visrec.evaluation.bootstrap import Interval
from visrec.reports.report import Report
from visrec.storage import ArtifactStore
from visrec.workloads.demo_data import demo_data
from visrec.workloads.evaluate import evaluate
from visrec.workloads.ingest import ingest
from visrec.workloads.train import train

METRIC: Final = "ndcg@10"
SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "sparse": {"num_events": 33_000},
    "popularity": {"popularity_weight": 0.75},
    "sequences": {"sequence_strength": 0.6},
}
"""Settings of `demo_data` by which each shape differs from the default one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Results on one shape.

    Attributes:
        report: Report of the test part.
        positives_per_user: Mean number of positive items of a user in the snapshot.
        seconds: Wall time of each step.
    """

    report: Report
    positives_per_user: float
    seconds: Mapping[str, float]

    @property
    def best_baseline(self) -> str:
        """The baseline with the highest metric."""
        return max(self.report.paired, key=lambda name: self.report.metrics[name][METRIC].mean)

    @property
    def lead(self) -> Interval:
        """Model minus best baseline, paired by user."""
        return self.report.paired[self.best_baseline][METRIC]


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", default="workspace/shapes", help="folder of one workspace a shape")
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=150)
    measurements: dict[str, Measured] = {}
    jobs = {shape: job_of(shape, arguments.workspace, arguments.overrides) for shape in arguments.shapes}
    with ray_session(next(iter(jobs.values())).ray):
        for shape, job in jobs.items():
            console.rule(f"[bold]{shape}", align="left")
            measurements[shape] = measured(job, console)
    console.print("\n".join(table(measurements)), markup=False, soft_wrap=True)


def job_of(shape: str, workspace: str, overrides: list[str]) -> PipelineConfig:
    """The default config with the settings of a shape; `overrides` come last."""
    settings = [f"demo_data.{key}={value}" for key, value in SHAPES[shape].items()]
    return load_config(PipelineConfig, None, [f"workspace={workspace}/{shape}", *settings, *overrides])


def measured(job: PipelineConfig, console: Console) -> Measured:
    """Draw the shop, ingest, train and evaluate."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()

    def lap(step: str) -> None:
        nonlocal started
        seconds[step], started = time.perf_counter() - started, time.perf_counter()

    shop = demo_data(job.project(DemoDataWorkloadConfig), console=console)
    lap("demo-data")
    ingest(shop.ingest_config.replace(ray=job.ray), console=console)
    lap("ingest")
    checkpoint = train(job.project(TrainWorkloadConfig), console=console)
    lap("train")
    evaluation = EvaluationConfig(ranker="none")
    evaluate_job = job.project(EvaluateWorkloadConfig).replace(
        checkpoint=checkpoint.name, evaluation=evaluation
    )
    report = evaluate(evaluate_job, console=console)
    lap("evaluate")
    snapshot = Snapshot.find(ArtifactStore(job.workspace))
    num_positives = sum(len(block.items) for block in snapshot.sequences(job.training.split))
    return Measured(report=report, positives_per_user=num_positives / snapshot.num_users, seconds=seconds)


def table(measurements: Mapping[str, Measured]) -> list[str]:
    """Lines of a Markdown table with one row for each shape."""
    lines = [
        "| shape | users tested | positives a user | model | best baseline | lead, paired | oracle "
        "| train, s | all, s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for shape, found in measurements.items():
        metrics = {name: values[METRIC].mean for name, values in found.report.metrics.items()}
        cells = [
            shape,
            f"{found.report.num_users:,}",
            f"{found.positives_per_user:.1f}",
            f"{metrics['model']:.4f}",
            f"{found.best_baseline} {metrics[found.best_baseline]:.4f}",
            f"{found.lead:+.4f}",
            f"{metrics['oracle']:.4f}",
            f"{found.seconds['train']:.0f}",
            f"{sum(found.seconds.values()):.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
