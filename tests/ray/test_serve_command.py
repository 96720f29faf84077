"""`visrec serve` as a person runs it: it prints the address of the page, and ends cleanly at a signal."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from tests.support.commands import read_until
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.storage import ArtifactStore

pytestmark = pytest.mark.ray


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_told_to_stop(tmp_path: Path, how: signal.Signals) -> None:
    workspace = ArtifactStore(str(tmp_path))
    make_release(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=6, image_size=16))
    settings = [f"workspace={tmp_path}", "serve.port=0", "ray.num_cpus=4"]
    command = [sys.executable, "-m", "visrec.workloads.cli", "serve", *(f"--set={s}" for s in settings)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    ) as process:
        output = read_until(process, "the page:")
        found = re.search(r"http://127\.0\.0\.1:\d+", output)
        assert found is not None
        assert requests.get(f"{found.group()}/v1/health", timeout=30).json()["ready"]
        started = time.monotonic()
        process.send_signal(how)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output + rest
    assert time.monotonic() - started < 20
    assert "stopping" in rest
    assert "Traceback" not in output + rest
    assert "raylet" not in output + rest
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{found.group()}/v1/health", timeout=5)
