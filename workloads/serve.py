"""`visrec serve`: the current release over HTTP, with the web page, until Ctrl-C."""

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    redirect_stdout,
)
from dataclasses import dataclass

import requests
from ray.exceptions import GetTimeoutError, RayActorError
from rich.console import Console

from visrec.cluster import internals
from visrec.cluster.haproxy import find_haproxy, free_ports, haproxy_environment
from visrec.cluster.session import is_this_machine_alone, ray_session
from visrec.config import ServeConfig, ServeWorkloadConfig
from visrec.errors import ClusterError, ConfigError
from visrec.releases import Release
from visrec.storage import ArtifactStore
from visrec.workloads.stopping import until_stopped

APP = "visrec"
READY_TIMEOUT_S = 120.0
_POLL_S = 0.2
_LAST_WORDS_S = 0.5
_PROXY_READY_S = 50
"""Under the minute that `serve.start` itself waits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerHandle:
    """A running server.

    Attributes:
        address: Where the page is, such as `http://127.0.0.1:8000`.
        stop: Ends the server, and the Ray session if it was started with it.
    """

    address: str
    stop: Callable[[], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeResult:
    """The address that a server had."""

    address: str


def run(job: ServeWorkloadConfig, *, console: Console) -> ServeResult:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        ArtifactError: There is no release, or it is damaged.
        ConfigError: The port is taken.
        ClusterError: The graph does not start.
    """
    server = start(job, console=console)
    try:
        with until_stopped():
            console.print(
                f"the page: [bold]{server.address}[/]   the interface: {server.address}/docs   Ctrl-C ends"
            )
            threading.Event().wait()
        console.print("stopping")
    finally:
        server.stop()
    return ServeResult(address=server.address)


def start(job: ServeWorkloadConfig, *, console: Console) -> ServerHandle:
    """Start the graph and wait until it answers, in the existing Ray session or in a new one.

    Raises:
        ArtifactError: There is no release, or it is damaged.
        ConfigError: The port is taken.
        ClusterError: The graph does not start.
    """
    release = Release.find(ArtifactStore(job.workspace))
    release.check()  # a damaged release fails here in one line, not after several starts of a replica
    port = _usable_port(job.serve)
    with ExitStack() as stack:
        stack.enter_context(ray_session(job.ray))
        environment = stack.enter_context(_proxy(job.serve))
        stack.enter_context(_serve_instance(job.serve.host, port, job.serve.request_timeout_s, environment))
        _deploy(job)
        address = f"http://{_reachable(job.serve.host)}:{port}"
        _wait_until_ready(address)
        through = "HAProxy" if environment else "Serve's proxy"
        console.print(f"release {release.name} is served through {through}")
        if environment:
            stats = f"127.0.0.1:{environment[internals.HAPROXY_STATS_PORT]}/stats"
            metrics = f"127.0.0.1:{environment[internals.HAPROXY_METRICS_PORT]}/metrics"
            console.print(f"[dim]its statistics: {stats}, its metrics: {metrics}[/]")
        return ServerHandle(address=address, stop=stack.pop_all().close)


def _proxy(config: ServeConfig) -> AbstractContextManager[dict[str, str]]:
    """Environment variables of the proxy; empty for Serve's own proxy."""
    if config.haproxy is False:
        return nullcontext({})
    binary = find_haproxy()
    # On other machines the nodes' own environment decides: a script on this one cannot run there.
    usable = binary is not None and is_this_machine_alone()
    if config.haproxy and not usable:
        raise ConfigError(
            "serve.haproxy: expected a cluster on this machine alone with HAProxy installed, found none"
        )
    return haproxy_environment(binary) if binary is not None and usable else nullcontext({})


@contextmanager
def _serve_instance(host: str, port: int, timeout_s: float, environment: dict[str, str]) -> Iterator[None]:
    from ray import serve  # slow to import; only this workload needs it

    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    if serve.status().proxies:
        raise ClusterError(
            "Ray Serve already runs on this cluster: deploy with `serve deploy` there, or end it with `serve shutdown`"
        )
    # A busy machine may need longer than the 5 s after which Ray replaces a proxy that is still starting.
    variables = {internals.PROXY_READY_TIMEOUT: str(_PROXY_READY_S), **environment}
    try:
        serve.start(
            proxy_location="HeadOnly",
            # The ingress has a timeout of its own; this one is for an ingress that hangs.
            http_options={"host": host, "port": port, "request_timeout_s": timeout_s + 5},
            controller_options={"runtime_env": {"env_vars": variables}},
        )
    except (RayActorError, GetTimeoutError):
        serve.shutdown()
        raise ClusterError(
            f"the HTTP proxy does not start within {_PROXY_READY_S} s; is the machine overloaded?"
        ) from None
    try:
        yield
    finally:
        # Ray reports the end of Serve's controller as an error, from a thread of its own, on standard output.
        with redirect_stdout(io.StringIO()):
            serve.shutdown()
            time.sleep(_LAST_WORDS_S)


def _deploy(job: ServeWorkloadConfig) -> None:
    from ray import serve

    from visrec.deployments.graph import ServeArgs, build_app

    try:
        serve.run(build_app(ServeArgs(workspace=job.workspace, serve=job.serve)), name=APP, route_prefix="/")
    except RuntimeError as error:
        raise ClusterError(f"the serving graph does not start: {_failure(error)}") from None


def _failure(error: RuntimeError) -> str:
    """The cause of a failed start: Ray's message names only the deployment, its status has the traceback."""
    from ray import serve

    app = serve.status().applications.get(APP)
    messages = [deployment.message for deployment in app.deployments.values()] if app else []
    return cause_in("\n".join([*messages, str(error)]))


def cause_in(traceback: str) -> str:
    """The line of a traceback with the cause: a visrec error if there is one, else the last error, else the last line.

    Example:
        >>> cause_in("Traceback ...\\nvisrec.errors.ArtifactError: no index\\nRuntimeError: it failed")
        'no index'
    """
    lines = [line.strip() for line in traceback.splitlines() if line.strip()]
    ours = [line.partition("Error: ")[2] for line in lines if line.startswith("visrec.errors.")]
    others = [line for line in lines if "Error: " in line and "ray::" not in line]
    return (ours or others[-1:] or lines[-1:] or ["no reason given"])[0]


def _wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    came = "no answer"
    with requests.Session() as session:
        session.trust_env = False  # HTTP_PROXY is not for a server of our own
        while time.monotonic() < deadline:
            try:
                response = session.get(f"{address}/v1/health", timeout=5)
            except requests.RequestException as error:
                came = type(error).__name__
            else:
                if response.ok:
                    return
                came = response.text[:200]
            time.sleep(_POLL_S)
    raise ClusterError(f"expected an answer from {address} within {READY_TIMEOUT_S:.0f} s, got {came}")


def _usable_port(config: ServeConfig) -> int:
    if config.port == 0:
        return free_ports(1, config.host)[0]
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            raise ConfigError(
                f"serve.port: {config.host}:{config.port} cannot be listened on ({error.strerror}); take another with"
                " `--set serve.port=...`, 0 takes a free one"
            ) from None
    return config.port


def _reachable(host: str) -> str:
    return "127.0.0.1" if host == "0.0.0.0" else host
