"""Jobs on a real cluster: a Ray head with a token, started here on free ports and stopped here."""

import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

BIN = Path(sys.executable).parent
START_SECONDS = 90.0
SHOP = (
    *("--set", "workspace=w", "--set", "demo_data.num_items=24", "--set", "demo_data.num_users=30"),
    *("--set", "demo_data.num_events=600", "--set", "demo_data.image_size=32"),
)

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    address: str
    environment: dict[str, str]

    def visrec(self, *arguments: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a user does who has the token."""
        return _run([str(BIN / "visrec"), *arguments], {**self.environment, **changes}, cwd)


def _run(command: list[str], environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    gcs, dashboard, agent, client = _free_ports(4)
    folder = tempfile.mkdtemp(prefix="vr", dir="/tmp")  # sockets in it must stay under 107 characters
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    # The job's `python` and `pip` are those on the head's PATH.
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
    command = [
        *(str(BIN / "ray"), "start", "--head", "--block", "--disable-usage-stats", "--num-cpus=4"),
        *(f"--temp-dir={folder}", f"--port={gcs}", f"--dashboard-port={dashboard}"),
        *(f"--dashboard-agent-listen-port={agent}", f"--ray-client-server-port={client}"),
    ]
    log = Path(folder) / "start.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            env={**environment, "RAY_AUTH_MODE": "token"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{dashboard}"
    try:
        _wait_for(address, process, log)
        yield Head(address=address, environment=environment)
    finally:
        _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{address}/api/gcs_healthz", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.3)
    raise AssertionError(f"the head did not start: {log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # SIGTERM would have it drain for up to half a minute; its workers end by themselves when it is gone.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


@pytest.fixture(scope="module")
def shop(
    head: Head, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder, and the output of a job that drew a tiny shop into it."""
    folder = tmp_path_factory.mktemp("shop")
    return folder, head.visrec("submit", "demo-data", *SHOP, "--address", head.address, cwd=folder)


def test_job_runs_is_followed_and_writes_where_a_relative_path_says(
    shop: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = shop
    assert done.returncode == 0, done.stdout + done.stderr
    assert "demo-data submitted to http://127.0.0.1" in done.stdout
    assert "24 items, 30 users" in done.stdout  # the job's own words
    assert "succeeded" in done.stdout
    assert (folder / "w" / "demo-data" / "manifest.json").exists()


def test_users_mistake_in_a_job_is_one_line_and_its_exit_code(
    head: Head, shop: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    folder, _ = shop
    done = head.visrec(
        *("submit", "demo-data", *SHOP, "--set", "seed=1", "--address", head.address), cwd=folder
    )
    assert done.returncode == 2, done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "was made with seed 0, not 1" in errors[0]
    assert "Traceback" not in done.stdout + done.stderr
    assert "failed, exit code 2" in done.stdout


def test_rays_own_command_does_the_same_with_the_prepared_files(
    head: Head, shop: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    folder, _ = shop
    prepared = head.visrec(
        *("submit", "demo-data", *SHOP, "--prepare", str(tmp_path), "--address", head.address), cwd=folder
    )
    command = [str(BIN / "ray"), *shlex.split(prepared.stdout)[1:]]
    environment = {**head.environment, "RAY_AUTH_MODE": "token"}
    done = _run(command, environment, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "found the demo shop" in done.stdout

    origin = [*command[: command.index("--") + 1], "python", "-c", "import visrec; print(visrec.__file__)"]
    assert "py_modules_files" in _run(origin, environment, tmp_path).stdout, (
        "ran other code than the uploaded"
    )


def test_interrupt_can_stop_the_job(head: Head, tmp_path: Path) -> None:
    large = ("--set", "demo_data.num_items=1000000", "--set", f"workspace={tmp_path}")
    process = subprocess.Popen(
        [BIN / "visrec", "submit", "demo-data", *large, "--address", head.address, "--stop-on-interrupt"],
        env={**head.environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while "Running entrypoint" not in lines[-1] and process.poll() is None:
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    assert process.returncode == 130, "".join(lines) + rest
    assert "stopping" in rest


@pytest.mark.parametrize(
    ("token", "expected"), [("", "requires a token"), ("wrong", "refuses the token")], ids=["none", "wrong"]
)
def test_without_the_token_nothing_is_submitted(
    head: Head, tmp_path: Path, token: str, expected: str
) -> None:
    changes = {"RAY_AUTH_TOKEN": token, "HOME": str(tmp_path)}
    done = head.visrec("submit", "ingest", "--address", head.address, cwd=tmp_path, **changes)
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1
