import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.releases import report_content

from visrec.config import Config
from visrec.data.snapshot import Snapshot
from visrec.reports.report import Report
from visrec.storage import ArtifactStore
from visrec.workloads.demo_summary import print_summary, summarise, write_summary
from visrec.workloads.sample_queries import QueryResult

REPORT = report_content() | {
    "metrics": {
        "model": {"ndcg@10": {"mean": 0.3, "low": 0.2, "high": 0.4}},
        "popularity": {"ndcg@10": {"mean": 0.1, "low": 0.0, "high": 0.2}},
        "oracle": {"ndcg@10": {"mean": 0.4, "low": 0.3, "high": 0.5}},
    },
    "paired": {"popularity": {"ndcg@10": {"mean": 0.2, "low": 0.15, "high": 0.25}}},
    "oracle_share": {"ndcg@10": 0.75},
}


@pytest.fixture
def artifacts(tmp_path: Path) -> tuple[Snapshot, Report]:
    workspace = ArtifactStore(str(tmp_path))
    with workspace.create("snapshots", "s", config=Config()) as snapshot:
        snapshot.counts.update(num_items=100, num_users=50, num_interactions=1000)
    with workspace.create("reports", "r", config=Config()) as report:
        (report.staging / "report.json").write_text(json.dumps(REPORT))
    return Snapshot.find(workspace, "s"), Report.find(workspace, "r")


def test_summary_says_what_was_measured_on_screen_and_in_files(
    artifacts: tuple[Snapshot, Report], tmp_path: Path
) -> None:
    summary = summarise(
        *artifacts,
        stages={"train": 60.0, "evaluate": 2.5},
        peak_memory_bytes=3_000_000_000,
        queries=(QueryResult(name="popular", item_ids=("i1", "i2"), milliseconds=4.0),),
        address="http://127.0.0.1:8000",
    )
    write_summary(summary, ArtifactStore(str(tmp_path)).root)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written["seconds"] == 62.5
    assert written["scores"] == {"model": 0.3, "popularity": 0.1, "oracle": 0.4}
    assert written["leads"] == {"popularity": {"mean": 0.2, "low": 0.15, "high": 0.25}}
    assert written["oracle_share"] == 0.75
    assert written["queries"][0]["item_ids"] == ["i1", "i2"]

    console = Console(file=io.StringIO(), width=120)
    print_summary(summary, console)
    assert isinstance(console.file, io.StringIO)
    for text in (console.file.getvalue(), (tmp_path / "summary.md").read_text()):
        assert "75% of the oracle's ndcg@10" in text
        assert "3.0 GB" in text
        assert "+0.2000 [+0.1500, +0.2500]" in text
        assert "62.5" in text
