"""Cold-start items of MovieLens, ranked by their content: five splits, each with a tenth of the items held out.

    python benchmarks/movielens_cold.py --config examples/movielens-cold.yaml --splits 0 1 2 3 4

Needs the snapshot of `visrec ingest --config examples/movielens-efficientnet.yaml`. Results that the workspace already
holds are not computed again.
"""

import argparse
import statistics

from rich.console import Console
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import EvaluateWorkloadConfig, PipelineConfig, load_config
from visrec.evaluation.bootstrap import Interval
from visrec.reports.report import Report
from visrec.workloads.evaluate import evaluate
from visrec.workloads.train import train

METRICS = ("recall@20", "auc")


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/movielens-cold.yaml")
    parser.add_argument(
        "--splits", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="training.split.cold_seed"
    )
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=140)
    job = load_config(PipelineConfig, arguments.config, arguments.overrides)
    with ray_session(job.ray):
        reports = [tested(job, seed, console) for seed in arguments.splits]
    table = Table("split", *METRICS, title="Held-out items, ranked by content")
    for seed, report in zip(arguments.splits, reports, strict=True):
        table.add_row(str(seed), *(cell(report.metrics["model"][metric]) for metric in METRICS))
    summary = []
    for metric in METRICS:
        values = [report.metrics["model"][metric].mean for report in reports]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        summary.append(f"{statistics.mean(values):.4f} (sd {spread:.4f})")
    table.add_section()
    table.add_row("mean", *summary)
    console.print(table)


def tested(job: PipelineConfig, seed: int, console: Console) -> Report:
    """The test report of one split."""
    split = job.training.split.replace(cold_seed=seed)
    job = job.replace(training=job.training.replace(split=split))
    checkpoint = train(job, console=console)
    evaluation = EvaluateWorkloadConfig(
        workspace=job.workspace, checkpoint=checkpoint.name, evaluation=job.evaluation, seed=job.seed
    )
    return evaluate(evaluation, console=console)


def cell(metric: Interval) -> str:
    """Mean and interval."""
    return f"{metric.mean:.4f} [{metric.low:.4f}, {metric.high:.4f}]"


if __name__ == "__main__":
    main()
