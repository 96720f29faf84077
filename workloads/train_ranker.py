"""`visrec train-ranker`: train the ranker that reorders the candidates of a checkpoint's two towers."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from visrec.config import TrainRankerWorkloadConfig
from visrec.config.ranker import POSITIVE
from visrec.data.snapshot import Snapshot
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.train import RankerTraining, train_ranker
from visrec.reports.ranker import importance_plot, reliability_plot
from visrec.reports.style import png
from visrec.storage import Artifact, Location, Workspace, content_id

VERSION = 2
"""Part of every ranker's name: raise it when the same config would give another ranker."""
REPORT = "report.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRankerResult:
    """Result of training a ranker.

    Attributes:
        ranker: The artifact: `ranker.safetensors`, `ranker.json`, `report.json`, `reliability.png`, `features.png`.
        report: Content of `report.json`.
        seconds: Wall time of this call.
        found: Whether it had been trained before, so that nothing was done.
    """

    ranker: Artifact
    report: dict[str, Any]
    seconds: float
    found: bool


def run(job: TrainRankerWorkloadConfig, *, console: Console) -> TrainRankerResult:
    """Train on the validation part, or find the ranker of the same config and checkpoint.

    Raises:
        ArtifactError: The checkpoint or its snapshot is missing or damaged.
        ConfigError: The checkpoint was fitted on the validation part as well.
        DataError: Too few users have a held-out item among their candidates.
    """
    started = time.perf_counter()
    workspace = Workspace(job.workspace)
    checkpoint = Checkpoint.find(workspace, job.checkpoint)
    snapshot = Snapshot(workspace.find("snapshots", checkpoint.snapshot_name))
    name = content_id("ranker", VERSION, checkpoint.name, snapshot.name, job.ranker, job.seed)
    found = workspace.has("rankers", name)
    if not found:
        console.print(f"train a ranker for checkpoint {checkpoint.name}")
        training = train_ranker(checkpoint, snapshot, job.ranker, job.seed)
        parents = {"checkpoints": checkpoint.name, "snapshots": snapshot.name}
        with workspace.create("rankers", name, config=job, parents=parents) as writer:
            _write(writer.staging, training)
            writer.counts |= {
                "num_lists": training.num_lists,
                "num_impressions": training.num_impressions,
            }
    workspace.point("rankers", name)
    artifact = workspace.find("rankers", name)
    report = json.loads((artifact.location / REPORT).read_text())
    seconds = time.perf_counter() - started
    _print_summary(name, report, console, found, seconds)
    return TrainRankerResult(ranker=artifact, report=report, seconds=seconds, found=found)


def report_of(training: RankerTraining) -> dict[str, Any]:
    """Content of `report.json`."""
    return {
        "num_lists": training.num_lists,
        "num_impressions": training.num_impressions,
        "features": list(training.ranker.names),
        "order": asdict(training.order),
        "tasks": {name: asdict(quality) for name, quality in training.tasks.items()},
        "threshold": training.ranker.threshold,
        "importance": {name: round(value, 5) for name, value in training.importance.items()},
        "examination": training.examination,
    }


def _write(folder: Location, training: RankerTraining) -> None:
    """Write the ranker, its report and its plots."""
    training.ranker.save(folder)
    (folder / REPORT).write_text(json.dumps(report_of(training), indent=1))
    importance = training.importance
    (folder / "reliability.png").write_bytes(png(reliability_plot(training.tasks)))
    (folder / "features.png").write_bytes(png(importance_plot(list(importance), list(importance.values()))))


def _print_summary(name: str, report: dict[str, Any], console: Console, found: bool, seconds: float) -> None:
    """One line: what was done, the gain in NDCG, and the calibration error."""
    order, main = report["order"], report["tasks"][POSITIVE]
    gain = order["gain"]
    action = (
        "found, nothing to do" if found else f"trained on {report['num_lists']:,} lists in {seconds:.1f} s"
    )
    interval = f"{gain['mean']:+.4f} \\[{gain['low']:+.4f}, {gain['high']:+.4f}]"
    console.print(
        f"ranker {name}: {action}; on users held out of it, ndcg@10 {order['ranked']['mean']:.4f} against"
        f" {order['retrieved']['mean']:.4f} ({interval}), calibration error {main['calibration_error']:.4f}",
        soft_wrap=True,
    )
