"""`visrec demo`: all workloads on generated data in one Ray session, from drawing the pictures to serving the page.

Each workload gets the config that its command would read from the same file.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
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
)
from visrec.data.snapshot import Snapshot
from visrec.demo.write import ingest_config
from visrec.reports.report import Report
from visrec.storage import ArtifactStore, Location
from visrec.workloads import serve
from visrec.workloads.demo_data import demo_data
from visrec.workloads.demo_summary import DemoSummary, print_summary, summarise, write_summary
from visrec.workloads.evaluate import evaluate
from visrec.workloads.ingest import ingest
from visrec.workloads.memory import PeakMemory
from visrec.workloads.publish import publish
from visrec.workloads.sample_queries import QueryResult, send_queries, take_sample
from visrec.workloads.stopping import until_stopped
from visrec.workloads.train import train
from visrec.workloads.train_ranker import train_ranker

ResultT = TypeVar("ResultT")
_SHOWN_ITEMS = 5


@dataclass(kw_only=True, slots=True)
class _Clock:
    """Runs the stages and measures their wall time."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, stage: str, work: Callable[[], ResultT]) -> ResultT:
        self.console.rule(f"[bold]{stage}", align="left")
        started = time.perf_counter()
        result = work()
        self.seconds[stage] = time.perf_counter() - started
        return result


def run(job: PipelineConfig, *, console: Console, exit_after_queries: bool = False) -> DemoSummary:
    """Run every workload, serve, send sample queries, then serve on until Ctrl-C.

    Artifacts that an earlier run left in the workspace are used again.

    Args:
        job: Config of all workloads. Paths, columns and event weights of `ingest` are replaced by those of the shop.
        console: Shows the progress and the summary.
        exit_after_queries: Return after the sample queries.
    """
    clock = _Clock(console=console)
    workspace = ArtifactStore(job.workspace)
    with PeakMemory() as memory, ExitStack() as stack:
        clock.run("start Ray", lambda: stack.enter_context(ray_session(job.ray)))
        _prepare(job, clock, console)
        server = clock.run("serve", lambda: serve.start(job.project(ServeWorkloadConfig), console=console))
        try:
            sample = take_sample(Snapshot.find(workspace))
            queries = clock.run("sample queries", lambda: send_queries(server.address, sample))
            _print_queries(queries, console)
            summary = summarise(
                Snapshot.find(workspace),
                Report.find(workspace),
                stages=clock.seconds,
                peak_memory_bytes=memory.measure(),
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
    """All workloads up to a current release."""
    shop = clock.run("demo-data", lambda: demo_data(job.project(DemoDataWorkloadConfig), console=console))
    with_shop = job.replace(ingest=_of_shop(job.ingest, shop.location))
    clock.run("ingest", lambda: ingest(with_shop.project(IngestWorkloadConfig), console=console))
    clock.run("train", lambda: train(job.project(TrainWorkloadConfig), console=console))
    if job.training.split.fit_on == "train":  # a ranker trains on events that the towers have not seen
        ranker_job = job.project(TrainRankerWorkloadConfig)
        clock.run("train-ranker", lambda: train_ranker(ranker_job, console=console))
    clock.run("evaluate", lambda: evaluate(job.project(EvaluateWorkloadConfig), console=console))
    # A demo is there to be looked at: a model that the gate refuses is served by force, with a warning.
    publishing = job.replace(release=job.release.replace(force=True)).project(PublishWorkloadConfig)
    clock.run("publish", lambda: publish(publishing, console=console))


def prepare_snapshot(job: PipelineConfig, *, console: Console) -> None:
    """Ingest the config's log, or that of a generated shop, unless the workspace has a snapshot."""
    if ArtifactStore(job.workspace).pointed("snapshots") is not None:
        return
    if all(log.path is None for log in job.ingest.logs.values()):
        shop = demo_data(job.project(DemoDataWorkloadConfig), console=console)
        job = job.replace(ingest=_of_shop(job.ingest, shop.location))
    ingest(job.project(IngestWorkloadConfig), console=console)


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
    with until_stopped():
        console.print(f"\nthe page: [bold]{address}[/]   the API: {address}/docs   Ctrl-C stops the server")
        threading.Event().wait()
    console.print("stopping")
