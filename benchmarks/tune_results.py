"""A hyperparameter study, and the lead of its best config over the config that it started from.

    python benchmarks/tune_results.py --config examples/tune-demo.yaml --seeds 1 2 3
    python benchmarks/tune_results.py --config examples/tune-movielens.yaml --seeds 1 2 3 --test

The study runs with seed 0, unless the workspace already holds it. Then the best config and the default one train with
other seeds, for the epochs of their configs, and are compared on all validation users: NDCG@10 of the best epoch,
paired by user and seed. With --test both are also trained on the training and validation parts, for the number of
epochs that was best in the study, and tested once with each seed.
"""

import argparse
import statistics

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from visrec.cluster.session import ray_session
from visrec.config import (
    EvaluateWorkloadConfig,
    EvaluationConfig,
    TrainWorkloadConfig,
    TuneWorkloadConfig,
    load_config,
)
from visrec.evaluation.bootstrap import intervals
from visrec.models.checkpoint import Checkpoint
from visrec.reports.report import Report
from visrec.tune.artifact import Study
from visrec.tune.records import TrialRecord
from visrec.tune.trial import trial_job
from visrec.workloads.evaluate import evaluate
from visrec.workloads.train import train
from visrec.workloads.tune import tune

METRIC = "ndcg@10"


def main() -> None:
    """Run everything and print the numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/tune-demo.yaml")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--test", action="store_true", help="also refit and test")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    arguments = parser.parse_args()
    console = Console(highlight=False, width=160)
    job = load_config(TuneWorkloadConfig, arguments.config, arguments.overrides)
    study = tune(job, console=console).study
    records = study.trials()
    best = records[study.summary.best_trial]
    print_study(study, console)
    with ray_session(job.ray):
        compare_validation(job, best, arguments.seeds, console)
        if arguments.test:
            for name, record in (("default", records[0]), ("winner", best)):
                print_test(job, name, record, arguments.seeds, console)


def print_study(study: Study, console: Console) -> None:
    """Print the time, the share of trained epochs and the best settings of the study."""
    console.print(
        f"study: {study.seconds / 60:.1f} min, {study.trained_share:.1%} of the epochs, {study.summary.best_point}"
    )


def compare_validation(
    job: TuneWorkloadConfig, best: TrialRecord, seeds: list[int], console: Console
) -> None:
    """Print the lead of the best config over the default on all validation users, paired by user, mean over seeds."""
    table = Table("seed", f"default {METRIC}", f"winner {METRIC}", "difference")
    differences = []
    for seed in seeds:
        default, winner = (
            per_user(train(seeded(job, record, seed), console=console), job, console)
            for record in (None, best)
        )
        differences.append(winner - default)
        table.add_row(
            str(seed), f"{default.mean():.4f}", f"{winner.mean():.4f}", f"{(winner - default).mean():+.4f}"
        )
    lead = intervals({METRIC: np.mean(differences, axis=0)}, num_samples=2000, seed=0)[METRIC]
    console.print(table)
    console.print(f"winner minus default, mean over seeds: {lead:+.4f}")


def seeded(job: TuneWorkloadConfig, record: TrialRecord | None, seed: int) -> TrainWorkloadConfig:
    """Training config of a trial, or of the default (None), with another seed."""
    own = trial_job(job, record.last_point if record is not None else {})
    return own.replace(seed=seed)


def per_user(checkpoint: Checkpoint, job: TuneWorkloadConfig, console: Console) -> NDArray[np.float64]:
    """NDCG@10 of every validation user, in order of the users."""
    evaluation = EvaluationConfig(part="validation", ks=(10,), list_size=10, baselines=(), ranker="none")
    job_of_trial = EvaluateWorkloadConfig(
        workspace=job.workspace, checkpoint=checkpoint.name, evaluation=evaluation
    )
    return evaluate(job_of_trial, console=console).per_user("model", METRIC)


def print_test(
    job: TuneWorkloadConfig, name: str, record: TrialRecord, seeds: list[int], console: Console
) -> None:
    """Refit on the training and validation parts, for the number of epochs that was best in the study, and test."""
    validated = [float(result.metrics[METRIC]) for result in record.results]
    num_epochs = 1 + int(np.argmax(validated))
    reports = [tested(seeded(job, record, seed), num_epochs, console) for seed in seeds]
    for metric in (METRIC, "hr@10"):
        values = [report.metrics["model"][metric].mean for report in reports]
        console.print(
            f"{name}, {num_epochs} epochs, test {metric}: {statistics.mean(values):.4f} "
            f"({min(values):.4f} to {max(values):.4f})"
        )
    for report in reports:
        lead = report.paired["ease"][METRIC]
        console.print(f"  minus EASE: {lead:+.4f}")


def tested(job: TrainWorkloadConfig, num_epochs: int, console: Console) -> Report:
    """The report of a refit model."""
    training = job.training
    phase = training.phases[0].replace(epochs=num_epochs, early_stopping_epochs=0)
    split = training.split.replace(fit_on="train_and_validation")
    refit = job.replace(training=training.replace(split=split, phases=(phase,)))
    checkpoint = train(refit, console=console)
    evaluation = EvaluateWorkloadConfig(
        workspace=job.workspace,
        checkpoint=checkpoint.name,
        evaluation=EvaluationConfig(ks=(10, 20), baselines=("popularity", "ease")),
    )
    return evaluate(evaluation, console=console)


if __name__ == "__main__":
    main()
