"""`visrec demo`: the whole line on generated data, in one Ray session, from the first pixel to the page.

It only calls the other workloads, one after the other, with the config that each would get from the same file.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console

from visrec.cluster.session import ray_session
from visrec.config import (
    DemoDataWorkloadConfig,
    EvaluateWorkloadConfig,
    IngestConfig,
    IngestWorkloadConfig,
    PipelineConfig,
    PublishWorkloadConfig,
    ServeWorkloadConfig,
    TrainRankerWorkloadConfig,
    TrainWorkloadConfig,
    WorkloadConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.demo.write import ingest_config
from visrec.storage import Location, Workspace
from visrec.workloads import demo_data, evaluate, ingest, publish, serve, train, train_ranker
from visrec.workloads.demo_summary import DemoSummary, print_summary, summarise, write_summary
from visrec.workloads.memory import PeakMemory
from visrec.workloads.sample_queries import QueryResult, ask, take_sample

JobT = TypeVar("JobT", bound=WorkloadConfig)
ResultT = TypeVar("ResultT")
_SHOWN_ITEMS = 5


@dataclass(kw_only=True, slots=True)
class _Clock:
    """Runs stages one after the other, and knows how long each took."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, stage: str, work: Callable[[], ResultT]) -> ResultT:
        self.console.rule(f"[bold]{stage}", align="left")
        started = time.perf_counter()
        result = work()
        self.seconds[stage] = time.perf_counter() - started
        return result


def run(job: PipelineConfig, *, console: Console, exit_after_queries: bool = False) -> DemoSummary:
    """Draw, ingest, train, learn to rank, evaluate, publish, serve, ask; then serve on until Ctrl-C.

    Artifacts that the workspace already holds are not made again.

    Args:
        job: Every section of the config. Of `ingest`, places, columns and event weights are those of the shop.
        console: Where to write.
        exit_after_queries: End after the sample queries.
    """
    clock = _Clock(console=console)
    workspace = Workspace(job.workspace)
    with PeakMemory() as memory, ExitStack() as stack:
        clock.run("start Ray", lambda: stack.enter_context(ray_session(job.ray)))
        _prepare(job, clock, console)
        server = clock.run("serve", lambda: serve.start(part_of(job, ServeWorkloadConfig), console=console))
        try:
            sample = take_sample(Snapshot(workspace.find("snapshots")))
            queries = clock.run("sample queries", lambda: ask(server.address, sample))
            _print_queries(queries, console)
            summary = summarise(
                workspace.find("snapshots"),
                workspace.find("reports"),
                stages=clock.seconds,
                peak_memory_bytes=memory.look(),
                queries=queries,
                address=server.address,
            )
            write_summary(summary, workspace.root)
            print_summary(summary, console)
            if not exit_after_queries:
                _serve_on(server.address, console)
        finally:
            server.stop()
    return summary


def _prepare(job: PipelineConfig, clock: _Clock, console: Console) -> None:
    """Everything up to a release that is live."""
    shop = clock.run(
        "demo-data", lambda: demo_data.run(part_of(job, DemoDataWorkloadConfig), console=console)
    )
    with_shop = job.replace(ingest=_of_shop(job.ingest, shop.location))
    clock.run("ingest", lambda: ingest.run(part_of(with_shop, IngestWorkloadConfig), console=console))
    with _own_interrupt_handler():
        clock.run("train", lambda: train.run(part_of(job, TrainWorkloadConfig), console=console))
    if job.training.split.fit_on == "train":  # a ranker learns from events that the towers have not seen
        ranker_job = part_of(job, TrainRankerWorkloadConfig)
        clock.run("train-ranker", lambda: train_ranker.run(ranker_job, console=console))
    clock.run("evaluate", lambda: evaluate.run(part_of(job, EvaluateWorkloadConfig), console=console))
    clock.run("publish", lambda: publish.run(part_of(job, PublishWorkloadConfig), console=console))


def prepare_snapshot(job: PipelineConfig, *, console: Console) -> None:
    """Where the workspace has no snapshot, ingest the config's log, or that of a shop that is drawn."""
    if Workspace(job.workspace).pointed("snapshots") is not None:
        return
    if all(log.path is None for log in job.ingest.logs.values()):
        shop = demo_data.run(part_of(job, DemoDataWorkloadConfig), console=console)
        job = job.replace(ingest=_of_shop(job.ingest, shop.location))
    ingest.run(part_of(job, IngestWorkloadConfig), console=console)


@contextmanager
def _own_interrupt_handler() -> Iterator[None]:
    """Ray Train leaves a handler behind that aborts a training which is over, and keeps its processes alive."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def part_of(job: PipelineConfig, kind: type[JobT]) -> JobT:
    """The config of one workload: what its own command would read from the same file."""
    return job.project(kind)


def _of_shop(given: IngestConfig, folder: Location) -> IngestConfig:
    """The shop's ingest config, with the picture size, cleaning and split shares of the given one."""
    shop = ingest_config(folder)
    return shop.replace(
        images=given.images.replace(path=shop.images.path),
        cleaning=given.cleaning,
        validation_share=given.validation_share,
        test_share=given.test_share,
    )


def _print_queries(queries: tuple[QueryResult, ...], console: Console) -> None:
    width = max(len(query.name) for query in queries)
    for query in queries:
        shown = " ".join(query.item_ids[:_SHOWN_ITEMS])
        console.print(f"{query.name:<{width}} {query.milliseconds:4.0f} ms  {shown} ...", soft_wrap=True)


def _serve_on(address: str, console: Console) -> None:
    console.print(f"\nthe page: [bold]{address}[/]   the API: {address}/docs   Ctrl-C stops the server")
    serve.wait_for_stop_signal()
    console.print("stopping")
