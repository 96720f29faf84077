"""Against a small HTTP server that answers as dashboards do; a real one is in tests/ray/test_submit.py."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import ray

from visrec.cluster.dashboard import check_cluster, token_headers
from visrec.errors import ClusterError

TOKEN = {"Authorization": "Bearer secret"}


@contextmanager
def dashboard(answers: dict[str, Any], *, token: bool = False) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            public = self.path == "/api/authentication_mode"
            if token and not public and self.headers.get("Authorization") != TOKEN["Authorization"]:
                self.send_response(403)
            else:
                self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path, {})).encode())

        def log_message(self, *_: Any) -> None:
            """Nothing: the test's output is not a server's log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def with_token(mode: str) -> dict[str, Any]:
    return {
        "/api/authentication_mode": {"authentication_mode": mode},
        "/api/version": {"ray_version": ray.__version__},
    }


@pytest.fixture(autouse=True)
def nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    return tmp_path


def test_a_token_is_sent_only_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    with dashboard(with_token("disabled")) as address:
        assert token_headers(address) == {}
        check_cluster(address, {})
    with dashboard(with_token("token"), token=True) as address:
        assert token_headers(address) == TOKEN
        check_cluster(address, TOKEN)


def test_a_token_is_found_in_the_files_that_ray_reads(
    nobodys_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dashboard(with_token("token"), token=True) as address:
        with pytest.raises(ClusterError, match="requires a token"):
            token_headers(address)
        (nobodys_home / ".ray").mkdir()
        (nobodys_home / ".ray" / "auth_token").write_text("secret\n")
        assert token_headers(address) == TOKEN
        (nobodys_home / "other").write_text("other")
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(nobodys_home / "other"))
        with pytest.raises(ClusterError, match="refuses the token"):
            check_cluster(address, token_headers(address))


def test_another_ray_version_is_refused() -> None:
    with dashboard({"/api/version": {"ray_version": "2.9.0"}}) as address:
        headers = token_headers(address)  # so old that it has no tokens
        with pytest.raises(
            ClusterError, match=f"expected Ray {ray.__version__} on the cluster .*, it runs 2.9.0"
        ):
            check_cluster(address, headers)


def test_another_server_is_no_cluster() -> None:
    with (
        dashboard({"/api/authentication_mode": ["hello"]}) as address,
        pytest.raises(ClusterError, match="something else answers there"),
    ):
        token_headers(address)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:1", "expected a Ray cluster's dashboard at http://127.0.0.1:1: nothing answers"),
        ("auto", "expected the dashboard's address, such as http://127.0.0.1:8265, got 'auto'"),
    ],
)
def test_no_cluster_there(address: str, message: str) -> None:
    with pytest.raises(ClusterError) as caught:
        token_headers(address)
    assert str(caught.value) == message
