"""`visrec demo-data`: draw the demo shop into the workspace, on all the CPUs that Ray has."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import ray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from visrec.cluster.session import ray_session
from visrec.config import DemoDataConfig, DemoDataWorkloadConfig, parse_config
from visrec.demo.world import FORMAT_VERSION
from visrec.demo.write import ingest_yaml, write_shop
from visrec.errors import DataError
from visrec.storage import Artifact, ArtifactWriter, Location
from visrec.storage.artifact import MANIFEST

FOLDER = "demo-data"

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoDataResult:
    """Where the shop is.

    Attributes:
        location: Its folder.
        ingest_config: The config for `visrec ingest`.
        counts: Numbers of the generated rows and pictures.
        made: False where it was there before.
    """

    location: Location
    ingest_config: Location
    counts: dict[str, Any]
    made: bool


def run(job: DemoDataWorkloadConfig, *, console: Console) -> DemoDataResult:
    """Generate the shop, or find the one that the same settings gave before.

    Raises:
        DataError: The workspace holds a shop of other settings, which snapshots may still refer to.
        ClusterError: Ray cannot be reached.
    """
    workspace = Location.parse(job.workspace)
    folder = workspace / FOLDER
    facts = {"seed": job.seed, "format_version": FORMAT_VERSION}
    if (folder / MANIFEST).exists():
        found = Artifact.open(folder)
        _check_same(found, job, facts)
        console.print(f"found the demo shop in {folder}, nothing to do")
        return _result(found, made=False, console=console)
    if folder.exists():
        raise DataError(f"expected a demo shop or nothing at {folder}, found a folder without {MANIFEST}")
    writer = ArtifactWriter(folder, FOLDER, config=job.demo_data, parents={})
    with ray_session(job.ray), writer, _progress(console) as progress:
        tasks = {name: progress.add_task(name, total=None) for name in ("pictures", "users")}
        counts = write_shop(
            writer.staging,
            job.demo_data,
            job.seed,
            spread=spread_on_ray,
            watch=lambda what, done, total: progress.update(tasks[what], completed=done, total=total),
        )
        (writer.staging / "ingest.yaml").write_text(ingest_yaml(folder, workspace))
        writer.counts.update(
            num_items=job.demo_data.num_items, num_users=job.demo_data.num_users, num_rows=counts["rows"]
        )
        writer.facts.update(facts, counts=counts)
    return _result(Artifact.open(folder), made=True, console=console)


def spread_on_ray(function: Callable[[A], B], blocks: Iterable[A], /) -> Iterator[B]:
    """`map` as Ray tasks: results in order, at most two blocks a CPU under way or waiting to be taken."""
    shared, call = ray.put(function), ray.remote(_call)
    limit = 2 * max(int(ray.cluster_resources().get("CPU", 1)), 1)
    waiting: deque[Any] = deque()
    for block in blocks:
        if len(waiting) == limit:
            yield ray.get(waiting.popleft())
        waiting.append(call.remote(shared, block))
    while waiting:
        yield ray.get(waiting.popleft())


def _call(function: Callable[[A], B], block: A) -> B:
    return function(block)


def _check_same(found: Artifact, job: DemoDataWorkloadConfig, facts: dict[str, int]) -> None:
    config = parse_config(DemoDataConfig, found.manifest.config, stored=True)
    was = {**config.model_dump(mode="json"), **{name: found.manifest.facts.get(name) for name in facts}}
    wanted = {**job.demo_data.model_dump(mode="json"), **facts}
    changed = [
        f"{name} {was.get(name)}, not {value}" for name, value in wanted.items() if was.get(name) != value
    ]
    if changed:
        raise DataError(
            f"{found.location} was made with {'; '.join(changed)}; delete it, or choose another workspace"
        )


def _result(found: Artifact, *, made: bool, console: Console) -> DemoDataResult:
    counts, location = found.manifest.facts["counts"], found.location
    num_items, num_users = (int(found.manifest.counts[name]) for name in ("num_items", "num_users"))
    console.print(f"[bold]{num_items:,} items, {num_users:,} users, {counts['rows']:,} rows[/] in {location}")
    console.print(
        f"  of these dirty: {sum(counts['dirt'].values()):,} rows, {sum(counts['broken_pictures'].values())} pictures"
    )
    console.print(f"next: visrec ingest --config {location / 'ingest.yaml'}")
    return DemoDataResult(location=location, ingest_config=location / "ingest.yaml", counts=counts, made=made)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
