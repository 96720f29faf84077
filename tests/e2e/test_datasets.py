"""From small files of the schemas of public data sets to a served page, by nothing but what `visrec init` writes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from tests.support.commands import read_until
from tests.support.datasets.registry import DATASETS

import visrec
from visrec.workloads.init import init

SERVED = "movielens-32m"
"""The data set whose release is also served over HTTP, by the commands."""

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "visrec.workloads.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_lead_to_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    DATASETS[SERVED].write(tmp_path / "data")
    _run("init", "data", "--set", "serve.port=0", "--set", "ray.num_cpus=4")
    for command in ("ingest", "train", "evaluate"):
        _run(command, "--config", "shop.yaml")
    _run("publish", "--config", "shop.yaml", "--force")  # so few users leave wide intervals
    with subprocess.Popen(
        [sys.executable, "-m", "visrec.workloads.cli", "serve", "--config", "shop.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        address = read_until(process, "the page:").split("the page: ")[1].split()[0]
        assert "<html" in requests.get(address, timeout=30).text
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.usefixtures("local_cluster")
@pytest.mark.parametrize("name", DATASETS)
def test_the_written_config_trains_a_shop(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    DATASETS[name].write(tmp_path / "data")
    assert init("data").runs
    snapshot = visrec.ingest("shop.yaml")
    visrec.train("shop.yaml")
    report = visrec.evaluate("shop.yaml")
    visrec.publish("shop.yaml", release={"force": True})  # so few users leave wide intervals
    shop = visrec.open("workspace")
    user = next(iter(snapshot.user_ids()))[0].as_py()
    assert len(shop.recommend(user=user, k=5)) == 5
    # The log is learnable: better than popularity, which knows nobody's taste.
    metrics = report.metrics
    assert metrics["model"]["ndcg@10"].mean > metrics["popularity"]["ndcg@10"].mean
