"""`visrec train-ranker`: the second stage, which ranks the candidates of the two towers."""

import time
from typing import Any

from rich.console import Console

from visrec.config import TrainRankerWorkloadConfig
from visrec.config.ranker import POSITIVE
from visrec.models.checkpoint import Checkpoint
from visrec.ranking import train as ranker_training
from visrec.ranking.artifact import RankerArtifact, RankerReport
from visrec.ranking.train import RankerTraining
from visrec.reports.ranker import importance_plot, reliability_plot
from visrec.reports.style import png
from visrec.storage import ArtifactStore, Location, content_id
from visrec.workloads.settings import PlainSettings, workload_config, workload_console

VERSION = 2
"""Raised when the same config would give another ranker, so that old ones are not taken for new ones."""


def train_ranker(
    config: TrainRankerWorkloadConfig | PlainSettings = None,
    *,
    console: Console | None = None,
    progress: bool = False,
    **settings: Any,
) -> RankerArtifact:
    """Train a ranker on the validation part, or find the one that the same config and checkpoint gave before.

    Args:
        config: A finished config, a mapping, or the path of a YAML file; see `visrec.workloads.settings`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.
        **settings: Settings laid over the mapping, the file or the defaults.

    Raises:
        ArtifactError: The checkpoint or its snapshot is missing or damaged.
        ConfigError: A setting is wrong, or the checkpoint was fitted on the validation part as well.
        DataError: There is too little data to train on.

    Example:
        >>> visrec.train_ranker(workspace="shop").report.order.gain.mean                 # doctest: +SKIP
        0.1056
    """
    started = time.perf_counter()
    job = workload_config(TrainRankerWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    workspace = ArtifactStore(job.workspace)
    checkpoint = Checkpoint.find(workspace, job.checkpoint)
    snapshot = checkpoint.snapshot(workspace)
    name = content_id("ranker", VERSION, checkpoint.name, snapshot.name, job.ranker, job.seed)
    found = workspace.has("rankers", name)
    if not found:
        console.print(f"rank the candidates of checkpoint {checkpoint.name}")
        training = ranker_training.train_ranker(checkpoint, snapshot, job.ranker, job.seed)
        parents = {"checkpoints": checkpoint.name, "snapshots": snapshot.name}
        with workspace.create("rankers", name, config=job, parents=parents) as writer:
            _write(writer.staging, training)
            writer.counts |= {"num_lists": training.num_lists, "num_impressions": training.num_impressions}
    workspace.point("rankers", name)
    ranker = RankerArtifact.find(workspace, name)
    console.print(_summary(ranker, time.perf_counter() - started, found), soft_wrap=True, markup=False)
    return ranker


def _write(folder: Location, training: RankerTraining) -> None:
    training.ranker.save(folder)
    report_of(training).write(folder)
    importance = training.importance
    (folder / "reliability.png").write_bytes(png(reliability_plot(training.tasks)))
    (folder / "features.png").write_bytes(png(importance_plot(list(importance), list(importance.values()))))


def report_of(training: RankerTraining) -> RankerReport:
    """Content of `report.json`."""
    return RankerReport(
        num_lists=training.num_lists,
        num_impressions=training.num_impressions,
        features=list(training.ranker.names),
        order=training.order,
        tasks=training.tasks,
        threshold=training.ranker.threshold,
        importance={name: round(value, 5) for name, value in training.importance.items()},
        examination=training.examination,
    )


def _summary(ranker: RankerArtifact, seconds: float, found: bool) -> str:
    order, main = ranker.report.order, ranker.report.tasks[POSITIVE]
    did = (
        "found, nothing to do"
        if found
        else f"trained on {ranker.report.num_lists:,} lists in {seconds:.1f} s"
    )
    return (
        f"ranker {ranker.name}: {did}; on users held out of it, ndcg@10 {order.ranked.mean:.4f} against"
        f" {order.retrieved.mean:.4f} ({order.gain:+.4f}), calibration error {main.calibration_error:.4f}"
    )
