"""Test metrics on MovieLens with posters (leave-one-out, full ranking) of models on pictures, on ids and on both.

    python benchmarks/movielens_results.py --config examples/movielens-posters.yaml --seeds 0 1 2
    python benchmarks/movielens_results.py --config examples/movielens-transitions.yaml --models given

For each model the number of epochs is that of the best validation NDCG@10 of seed 0, trained on the training part. Then
each seed trains on the training and validation parts for this number of epochs and is tested once. Results that the
workspace already holds are not computed again.
"""

import argparse
import statistics

from rich.console import Console
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    EvaluationConfig,
    IngestWorkloadConfig,
    ItemTowerConfig,
    SplitConfig,
    TrainWorkloadConfig,
    load_config,
)
from visrec.config.evaluation import BaselineName
from visrec.reports.report import Report
from visrec.workloads.evaluate import evaluate
from visrec.workloads.ingest import ingest
from visrec.workloads.train import train

METRICS = ("ndcg@10", "hr@10")
BASELINES: tuple[BaselineName, ...] = ("popularity", "item_knn", "ease")


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/movielens-posters.yaml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", default=["ids", "pixels", "both"])
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=160)
    job = load_config(TrainWorkloadConfig, arguments.config, arguments.overrides)
    with ray_session(job.ray):
        ingest(load_config(IngestWorkloadConfig, arguments.config, arguments.overrides), console=console)
        rows = {}
        for name in arguments.models:
            variant = with_inputs(job, name)
            num_epochs = best_epoch(variant, console)
            rows[name] = (
                num_epochs,
                [tested(variant, num_epochs, seed, console) for seed in arguments.seeds],
            )
    print_table(rows, console)


def with_inputs(job: TrainWorkloadConfig, name: str) -> TrainWorkloadConfig:
    """The config with an item tower of pictures, of ids or of both, or unchanged (`given`)."""
    item = job.model.item
    towers: dict[str, ItemTowerConfig] = {
        "given": item,
        "ids": item.replace(backbone=None, id_embedding=True),
        "pixels": item.replace(id_embedding=False, dropout=0.1),
        "both": item.replace(id_embedding=True),
    }
    return job.replace(model=job.model.replace(item=towers[name]))


def best_epoch(job: TrainWorkloadConfig, console: Console) -> int:
    """Epoch of the best validation NDCG@10, trained on the training part."""
    epochs = train(job, console=console).epochs
    return 1 + max(range(len(epochs)), key=lambda k: epochs[k].metrics["ndcg@10"])


def tested(job: TrainWorkloadConfig, num_epochs: int, seed: int, console: Console) -> Report:
    """The report of a model that was trained on training and validation part."""
    phase = job.training.phases[0].replace(epochs=num_epochs, early_stopping_epochs=0)
    split = SplitConfig(fit_on="train_and_validation")
    refit = job.replace(seed=seed, training=job.training.replace(split=split, phases=(phase,)))
    checkpoint = train(refit, console=console)
    evaluation = EvaluateWorkloadConfig(
        workspace=job.workspace,
        checkpoint=checkpoint.name,
        evaluation=EvaluationConfig(ks=(10, 20), baselines=BASELINES),
    )
    return evaluate(evaluation, console=console)


def print_table(rows: dict[str, tuple[int, list[Report]]], console: Console) -> None:
    """Mean and spread over the seeds, and the lead over EASE with its paired interval of each seed."""
    table = Table(
        "model",
        "epochs",
        *METRICS,
        "ndcg@10 minus EASE, per seed",
        title="Test, mean (lowest to highest seed)",
    )
    for name, (num_epochs, reports) in rows.items():
        cells = []
        for metric in METRICS:
            values = [report.metrics["model"][metric].mean for report in reports]
            cells.append(f"{statistics.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})")
        leads = [report.paired["ease"]["ndcg@10"] for report in reports]
        said = "  ".join(f"{lead:+.4f}" for lead in leads)
        table.add_row(name, str(num_epochs), *cells, said)
    first = next(iter(rows.values()))[1][0]
    for baseline in BASELINES:
        table.add_row(baseline, "", *(f"{first.metrics[baseline][m].mean:.4f}" for m in METRICS), "")
    console.print(table)


if __name__ == "__main__":
    main()
