"""The real graph behind the real proxy, on a local cluster."""

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import ray
import requests
import yaml
from PIL import Image
from rich.console import Console
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.cluster.haproxy import find_haproxy
from visrec.config import RayConfig, ServeConfig, ServeWorkloadConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ArtifactError, ConfigError
from visrec.releases import Release, activate
from visrec.storage import ArtifactStore
from visrec.workloads import serve

# Importing Ray Serve warns of its own use of pydantic.
pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore:Using extra keyword arguments on `Field`")]

QUIET = Console(file=io.StringIO())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    return ArtifactStore(str(tmp_path_factory.mktemp("serve")))


@pytest.fixture(scope="module")
def releases(workspace: ArtifactStore) -> list[Release]:
    snapshot = checkerboard_snapshot(workspace, num_users=6, num_items=20, image_size=16)
    return [make_release(workspace, snapshot, seed=seed) for seed in (0, 1)]


@pytest.fixture(scope="module")
def server(workspace: ArtifactStore, releases: list[Release]) -> Iterator[serve.ServerHandle]:
    config = ServeConfig(port=0, release_poll_s=0.2)
    job = ServeWorkloadConfig(workspace=str(workspace.root), serve=config, ray=RayConfig(num_cpus=4))
    handle = serve.start(job, console=QUIET)
    yield handle
    started = time.monotonic()
    handle.stop()
    assert time.monotonic() - started < 20
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{handle.address}/v1/health", timeout=5)


def recommend(server: serve.ServerHandle, **body: Any) -> requests.Response:
    return requests.post(f"{server.address}/v1/recommendations", json=body, timeout=30)


def upload(server: serve.ServerHandle, data: bytes) -> requests.Response:
    return requests.post(f"{server.address}/v1/search/image", files={"file": data}, timeout=30)


def wait_for(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_the_graph_answers(server: serve.ServerHandle) -> None:
    health = requests.get(f"{server.address}/v1/health", timeout=30).json()
    assert health["graph"] == {"encoder": "ok", "retriever": "ok", "ranker": "ok"}
    known = recommend(server, user_id="u00001", k=5).json()
    assert (known["source"], len(known["items"])) == ("user", 5)
    given = recommend(
        server, history=[{"item_id": "i00003"}], k=30, filters={"include_categories": ["red"]}
    ).json()
    assert (given["source"], len(given["items"])) == ("history", 10)
    assert recommend(server).json()["source"] == "popular"
    similar = requests.get(f"{server.address}/v1/items/i00003/similar?k=3", timeout=30).json()
    assert len(similar["items"]) == 3
    image = requests.get(server.address + similar["items"][0]["image"], timeout=30)
    assert image.headers["content-type"] == "image/jpeg"
    picture = io.BytesIO()
    Image.new("RGB", (30, 30), (200, 20, 20)).save(picture, "PNG")
    assert len(upload(server, picture.getvalue()).json()["items"]) == 10
    assert "<title>visrec</title>" in requests.get(server.address, timeout=30).text


@pytest.mark.parametrize(
    ("send", "status", "slug"),
    [
        (lambda s: requests.get(f"{s.address}/v1/items/nothing", timeout=30), 404, "unknown-item"),
        (lambda s: recommend(s, k=0), 422, "invalid-request"),
        (lambda s: upload(s, b"no picture"), 422, "unreadable-picture"),
        (lambda s: upload(s, b"x" * 5_000_001), 413, "too-large"),
        (lambda s: upload(s, b"x" * 30_000_000), 413, "too-large"),
        (lambda s: requests.get(f"{s.address}/v2", timeout=30), 404, "not-found"),
    ],
)
def test_errors_are_problems_through_all_processes(
    server: serve.ServerHandle,
    send: Callable[[serve.ServerHandle], requests.Response],
    status: int,
    slug: str,
) -> None:
    response = send(server)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"urn:visrec:problem:{slug}"


def test_another_release_goes_live_under_traffic_without_an_error(
    server: serve.ServerHandle, workspace: ArtifactStore, releases: list[Release]
) -> None:
    answers: list[tuple[int, str]] = []
    ended = threading.Event()

    def keep_sending() -> None:
        while not ended.is_set():
            response = recommend(server, user_id="u00002", k=3)
            answers.append((response.status_code, response.json().get("release", response.text)))

    clients = [threading.Thread(target=keep_sending) for _ in range(3)]
    for client in clients:
        client.start()
    for release in (releases[0], releases[1], releases[0]):
        activate(workspace, release.name)
        assert wait_for(lambda name=release.name: bool(answers) and answers[-1] == (200, name))  # type: ignore[misc]
    ended.set()
    for client in clients:
        client.join()
    assert {status for status, _ in answers} == {200}
    assert {name for _, name in answers} == {release.name for release in releases}


def test_a_damaged_release_does_not_go_live(
    server: serve.ServerHandle, workspace: ArtifactStore, releases: list[Release]
) -> None:
    activate(workspace, releases[0].name)
    assert wait_for(lambda: recommend(server).json()["release"] == releases[0].name)
    damaged = make_release(workspace, Snapshot(workspace.find("snapshots")), seed=9)
    (damaged.artifact.location / "scores" / "index.bin").write_bytes(b"")
    health = f"{server.address}/v1/health"
    assert wait_for(lambda: "damaged" in (requests.get(health, timeout=30).json()["trouble"] or ""))
    assert recommend(server, user_id="u00001").json()["release"] == releases[0].name
    activate(workspace, releases[0].name)
    assert wait_for(lambda: requests.get(health, timeout=30).json()["trouble"] is None)


def test_the_manifest_deploys_and_swaps_a_pinned_release_in_place(
    server: serve.ServerHandle, workspace: ArtifactStore, releases: list[Release]
) -> None:
    from ray.serve.context import _get_global_client
    from ray.serve.schema import ServeDeploySchema

    manifest = yaml.safe_load((files("visrec.deployments") / "serve.yaml").read_text())
    (app,) = manifest["applications"]
    app |= {"name": "pinned", "route_prefix": "/pinned", "args": {"workspace": str(workspace.root)}}

    def deploy(release: str) -> str:
        app["deployments"][0]["user_config"] = {"release": release}
        _get_global_client().deploy_apps(ServeDeploySchema.model_validate(manifest), _blocking=True)
        served = f"{server.address}/pinned/v1/release"
        assert wait_for(lambda: _json(served).get("name") == release, 60)
        return str(_json(f"{server.address}/pinned/v1/items?limit=1")["items"][0]["image"])

    assert deploy(releases[0].name) == f"/pinned/v1/items/i00000/image?v={releases[0].name}"
    assert deploy(releases[1].name) == f"/pinned/v1/items/i00000/image?v={releases[1].name}"


def _json(url: str) -> dict[str, Any]:
    response = requests.get(url, timeout=30)
    body: dict[str, Any] = response.json() if response.ok else {}
    return body


def test_a_killed_replica_is_replaced_and_meanwhile_requests_get_a_retryable_status(
    server: serve.ServerHandle,
) -> None:
    actors = ray.util.list_named_actors(all_namespaces=True)
    (replica,) = [a["name"] for a in actors if a["name"].startswith("SERVE_REPLICA::visrec#Retriever")]
    ray.kill(ray.get_actor(replica, "serve"))
    answers: list[int] = []
    problems: set[str] = set()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and answers[-20:] != [200] * 20:
        response = recommend(server, user_id="u00001")
        answers.append(response.status_code)
        if not response.ok:
            problems.add(response.json()["type"].removeprefix("urn:visrec:problem:"))
    assert answers[-20:] == [200] * 20
    assert set(answers) <= {200, 503, 504}
    assert problems <= {"stage-failed", "busy", "took-too-long"}
    assert wait_for(lambda: requests.get(f"{server.address}/v1/health", timeout=30).ok)


@pytest.mark.skipif(find_haproxy() is None, reason="HAProxy is not installed here")
def test_nothing_of_haproxy_is_open_to_other_machines(server: serve.ServerHandle) -> None:
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # Address 0.0.0.0 in state "listen"; the ports of HAProxy are those that its own config names.
    open_ports = {
        int(f[1].split(":")[1], 16) for f in listening if f[3] == "0A" and f[1].startswith("00000000:")
    }
    configs = sorted(Path("/tmp/haproxy-serve").glob("*/haproxy.cfg"), key=lambda p: p.stat().st_mtime)
    binds = [
        line.split()[1] for line in configs[-1].read_text().splitlines() if line.strip().startswith("bind ")
    ]
    assert len(binds) == 3
    assert all(bind.startswith("127.0.0.1:") for bind in binds)
    assert not {int(bind.split(":")[1]) for bind in binds} & open_ports


def test_a_taken_port_is_one_clear_line(workspace: ArtifactStore, releases: list[Release]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        job = ServeWorkloadConfig(workspace=str(workspace.root), serve=ServeConfig(port=port))
        with pytest.raises(ConfigError, match=rf"serve\.port: 127\.0\.0\.1:{port} .*in use"):
            serve.start(job, console=QUIET)


def test_without_a_release_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no releases in"):
        serve.start(ServeWorkloadConfig(workspace=str(tmp_path), serve=ServeConfig(port=0)), console=QUIET)
