from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from visrec.workloads.sample_queries import Sample, send_queries
from visrec.workloads.serve import _wait_until_ready, cause_in

FAILED = """The deployment failed to start 2 times in a row. Error:
ray::ServeReplica:visrec:Retriever.initialize_and_get_metadata() (pid=1, ip=127.0.0.1)
  File "retriever.py", line 3, in load
visrec.errors.ArtifactError: the index at /w/scores is damaged
The above exception was the direct cause of the following exception:
RuntimeError: Traceback (most recent call last):
Deploying application visrec failed"""


def test_our_own_error_is_the_cause() -> None:
    assert cause_in(FAILED) == "the index at /w/scores is damaged"


def test_without_one_the_last_error_then_the_last_line() -> None:
    assert cause_in("ValueError: first\nMemoryError: no room\nfailed") == "MemoryError: no room"
    assert cause_in("it\n failed \n") == "failed"
    assert cause_in("") == "no reason given"


class NoItems(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"items": []}')

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), NoItems) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_our_own_server_is_not_asked_through_a_proxy(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.setattr("visrec.workloads.serve.READY_TIMEOUT_S", 1.0)
    _wait_until_ready(address)
    assert len(send_queries(address, Sample(user_id="u", history=(), item_id="i", picture=b"picture"))) == 5
