"""`visrec train-ranker`: learn to put the two towers' candidates in order."""

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
from visrec.storage import Artifact, Workspace, content_id

VERSION = 2
"""Raised when the same config would give another ranker, so that old ones are not taken for new ones."""
REPORT = "report.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRankerResult:
    """What came out.

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
    """Learn from the validation part, or find what the same config and checkpoint gave before.

    Raises:
        ArtifactError: The checkpoint or its snapshot is missing or damaged.
        ConfigError: The checkpoint was fitted on the validation part as well.
        DataError: There is too little to learn from.
    """
    started = time.perf_counter()
    workspace = Workspace(job.workspace)
    checkpoint = Checkpoint.find(workspace, job.checkpoint)
    snapshot = Snapshot(workspace.find("snapshots", checkpoint.snapshot_name))
    name = content_id("ranker", VERSION, checkpoint.name, snapshot.name, job.ranker, job.seed)
    found = workspace.has("rankers", name)
    if not found:
        console.print(f"rank the candidates of checkpoint {checkpoint.name}")
        learned = train_ranker(checkpoint, snapshot, job.ranker, job.seed)
        parents = {"checkpoints": checkpoint.name, "snapshots": snapshot.name}
        with workspace.create("rankers", name, config=job, parents=parents) as writer:
            _write(writer.staging, learned)
            writer.counts |= {"num_lists": learned.num_lists, "num_impressions": learned.num_impressions}
    workspace.point("rankers", name)
    artifact = workspace.find("rankers", name)
    report = json.loads((artifact.location / REPORT).read_text())
    seconds = time.perf_counter() - started
    _tell(name, report, console, found, seconds)
    return TrainRankerResult(ranker=artifact, report=report, seconds=seconds, found=found)


def _write(folder: Any, learned: RankerTraining) -> None:
    learned.ranker.save(folder)
    (folder / REPORT).write_text(json.dumps(report_of(learned), indent=1))
    importance = learned.importance
    (folder / "reliability.png").write_bytes(png(reliability_plot(learned.tasks)))
    (folder / "features.png").write_bytes(png(importance_plot(list(importance), list(importance.values()))))


def report_of(learned: RankerTraining) -> dict[str, Any]:
    """`report.json`."""
    return {
        "num_lists": learned.num_lists,
        "num_impressions": learned.num_impressions,
        "features": list(learned.ranker.names),
        "order": asdict(learned.order),
        "tasks": {name: asdict(quality) for name, quality in learned.tasks.items()},
        "threshold": learned.ranker.threshold,
        "importance": {name: round(value, 5) for name, value in learned.importance.items()},
        "examination": learned.examination,
    }


def _tell(name: str, report: dict[str, Any], console: Console, found: bool, seconds: float) -> None:
    order, main = report["order"], report["tasks"][POSITIVE]
    gain = order["gain"]
    did = (
        "found, nothing to do" if found else f"learned from {report['num_lists']:,} lists in {seconds:.1f} s"
    )
    lead = f"{gain['mean']:+.4f} \\[{gain['low']:+.4f}, {gain['high']:+.4f}]"
    console.print(
        f"ranker {name}: {did}; on users held out of it, ndcg@10 {order['ranked']['mean']:.4f} against"
        f" {order['retrieved']['mean']:.4f} ({lead}), calibration error {main['calibration_error']:.4f}",
        soft_wrap=True,
    )
