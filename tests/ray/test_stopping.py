"""Commands that are stopped while they start or work: in order, with one line and nothing left of them."""

import signal
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.commands import after, answers, holds, run_until
from tests.support.releases import make_release
from tests.support.shop import Shop
from tests.support.snapshots import checkerboard_snapshot

from visrec.cluster.haproxy import free_ports
from visrec.cluster.session import ray_session
from visrec.config import RayConfig, dump_yaml
from visrec.storage import ArtifactStore
from visrec.workloads.ingest import ingest

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]

MOMENTS = [0.3 + 0.8 * k for k in range(20)]
"""Seconds, through the whole start of a server and of a training on workers."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("workspace")))
    make_release(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=6, image_size=16))
    return workspace


def serving(workspace: ArtifactStore, port: int) -> list[str]:
    settings = [f"workspace={workspace.root.path}", f"serve.port={port}", "ray.num_cpus=4"]
    return ["serve", *(f"--set={setting}" for setting in settings)]


def training(workspace: ArtifactStore) -> list[str]:
    settings = [f"workspace={workspace.root.path}", "training.phases=[{epochs: 10000}]"]
    model = ["model.dim=8", "model.item.backbone=small_cnn", "training.scaling.num_workers=1"]
    return ["train", *(f"--set={setting}" for setting in [*settings, *model])]


@pytest.mark.parametrize("moment", [0.3, 2.0, 5.0])
def test_a_server_that_starts_is_stopped(workspace: ArtifactStore, moment: float) -> None:
    ended = run_until(after(moment), *serving(workspace, free_ports(1)[0]))
    assert ended.was_stopped_in_order, ended


def test_a_server_that_has_just_answered_is_stopped(workspace: ArtifactStore) -> None:
    (port,) = free_ports(1)
    ended = run_until(answers(f"http://127.0.0.1:{port}/v1/health"), *serving(workspace, port))
    if "the page:" in ended.stdout:  # its address came first: it serves, and that is the end of serving
        assert (ended.exit_code, ended.stderr, ended.left) == (0, "", ()), ended
    else:
        assert ended.was_stopped_in_order, ended


def test_an_ingest_is_stopped_and_can_be_run_again(tmp_path: Path) -> None:
    shop = Shop(root=tmp_path / "shop")
    config = tmp_path / "ingest.yaml"
    config.write_text(dump_yaml(shop.job()))
    snapshots = shop.root / "workspace" / "snapshots"
    # Ctrl-C in a terminal reaches all processes of its foreground group.
    ended = run_until(
        holds(snapshots, ".*.partial-*"), "ingest", "-c", str(config), how=signal.SIGINT, of_group=True
    )
    assert (ended.exit_code, ended.stderr, ended.left) == (130, "stopped by Ctrl-C\n", ()), ended
    assert list(snapshots.iterdir()) == []
    assert ingest(shop.job(), console=Console(file=StringIO())).num_items > 0


def test_a_second_signal_ends_at_once(workspace: ArtifactStore) -> None:
    ended = run_until(
        holds(Path(workspace.root.path) / "runs", "*/*"), *training(workspace), repeat_after=0.3
    )
    assert ended.was_stopped_in_order, ended
    assert ended.seconds < 5


def test_functions_of_the_library_leave_the_signal_handlers_alone(
    handlers: dict[signal.Signals, object],
) -> None:
    with ray_session(RayConfig()):
        assert {number: signal.getsignal(number) for number in handlers} == handlers
    assert {number: signal.getsignal(number) for number in handlers} == handlers


@pytest.fixture
def handlers() -> Iterator[dict[signal.Signals, Callable[..., None]]]:
    """Handlers of the caller, one for each signal that Ray would take."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    mine = {number: (lambda signum, frame: None) for number in numbers}
    for number, handler in mine.items():
        signal.signal(number, handler)
    yield mine
    for number, old in before.items():
        signal.signal(number, old)


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("command", ["serve", "train"])
def test_no_moment_is_a_bad_one(workspace: ArtifactStore, command: str, moment: float) -> None:
    arguments = serving(workspace, free_ports(1)[0]) if command == "serve" else training(workspace)
    ended = run_until(after(moment), *arguments)
    if command == "serve" and "the page:" in ended.stdout:
        assert (ended.exit_code, ended.stderr, ended.left) == (0, "", ()), ended
    else:
        assert ended.was_stopped_in_order, ended
