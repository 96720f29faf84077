"""`visrec demo --exit` on a tiny shop: every stage, then real HTTP, then a second run that finds it all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.commands import read_until

import visrec

BIN = Path(sys.executable).parent
SETTINGS = {
    "workspace": "w",
    "demo_data.num_items": 60,
    "demo_data.num_users": 80,
    "demo_data.num_events": 4000,
    "demo_data.image_size": 32,
    "ingest.images.height": 32,
    "ingest.images.width": 32,
    "model.dim": 16,
    "model.item.width": 8,
    "training.phases.0.epochs": 1,
    "evaluation.bootstrap_samples": 50,
    "serve.port": 0,
}

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    overrides = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    return subprocess.Popen(
        [str(BIN / "visrec"), "demo", *overrides, *options],
        cwd=folder,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    with demo(folder, "--exit") as process:
        output = process.communicate(timeout=280)[0]
    assert process.returncode == 0, output
    return folder, output


def summary(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "w" / "summary.json").read_text())
    return values


def test_every_stage_runs_and_is_measured(first: tuple[Path, str]) -> None:
    folder, output = first
    values = summary(folder)
    stages = ["start Ray", "demo-data", "ingest", "train", "train-ranker", "evaluate", "publish", "serve"]
    stages.append("sample queries")
    assert list(values["stages"]) == stages
    assert all(seconds > 0 for seconds in values["stages"].values())
    assert values["peak_memory_bytes"] > 100_000_000
    assert {"model", "popularity", "item_knn", "oracle"} <= set(values["scores"])
    # The oracle knows the users' tastes, popularity knows none: what lies between them can be learned.
    assert values["scores"]["oracle"] > values["scores"]["popularity"] > 0
    assert values["oracle_share"] == pytest.approx(values["scores"]["model"] / values["scores"]["oracle"])
    assert "of the oracle's ndcg@10" in output
    # A model that the gate refuses is served all the same, with a warning.
    forced = visrec.Workspace(str(folder / "w")).release().facts.forced
    assert ("warning: published by force" in output) == (forced is not None)
    assert (folder / "w" / "summary.md").read_text().startswith("# visrec demo")


def test_every_kind_of_query_is_answered(first: tuple[Path, str]) -> None:
    folder, _ = first
    queries = summary(folder)["queries"]
    assert len(queries) == 5
    for query in queries:
        assert len(query["item_ids"]) == 10, query
        assert len(set(query["item_ids"])) == 10, query
    for_user, for_history, popular, similar, by_picture = (q["item_ids"] for q in queries)
    assert popular not in (for_user, for_history)
    assert queries[3]["name"].split()[-1] not in similar  # an item is not similar to itself
    assert queries[4]["name"].split()[-1] in by_picture  # but its own picture finds it


def test_a_second_run_finds_everything_and_serves_until_ctrl_c(first: tuple[Path, str]) -> None:
    folder, _ = first
    before = summary(folder)
    with demo(folder) as process:
        output = read_until(process, "the page:")
        after = summary(folder)
        assert "<html" in requests.get(after["address"], timeout=10).text
        process.send_signal(signal.SIGINT)
        output += process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert after["scores"] == before["scores"]
    assert [q["item_ids"] for q in after["queries"]] == [q["item_ids"] for q in before["queries"]]
    assert after["stages"]["train"] < before["stages"]["train"]
