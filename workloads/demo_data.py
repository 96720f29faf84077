"""`visrec demo-data`: write the demo shop into the workspace, on all CPUs of the cluster."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from visrec.cluster.session import ray_session
from visrec.cluster.tasks import map_tasks, share
from visrec.config import DemoDataConfig, DemoDataWorkloadConfig, IngestWorkloadConfig, parse_config
from visrec.demo.world import FORMAT_VERSION
from visrec.demo.write import ingest_config, ingest_yaml, write_shop
from visrec.errors import DataError
from visrec.storage import Artifact, ArtifactWriter, Location
from visrec.storage.artifact import MANIFEST
from visrec.workloads.settings import PlainSettings, workload_config, workload_console

FOLDER = "demo-data"

A = TypeVar("A")
B = TypeVar("B")


class DemoShop:
    """The generated shop: pictures, catalogue, interaction log, and the truth that they were drawn from.

    Example:
        >>> shop = visrec.demo_data(workspace="shop")                                    # doctest: +SKIP
        >>> visrec.ingest(shop.ingest_config)                                            # doctest: +SKIP
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    def __repr__(self) -> str:
        return f"DemoShop({self.num_items:,} items, {self.num_users:,} users, {self.num_rows:,} rows, {self.location})"

    @property
    def location(self) -> Location:
        """Folder of the shop."""
        return self.artifact.location

    @property
    def num_items(self) -> int:
        """Items of its catalogue."""
        return int(self.artifact.manifest.counts["num_items"])

    @property
    def num_users(self) -> int:
        """Users of its log."""
        return int(self.artifact.manifest.counts["num_users"])

    @property
    def num_rows(self) -> int:
        """Rows of its log."""
        return int(self.artifact.manifest.counts["num_rows"])

    @property
    def ingest_config(self) -> IngestWorkloadConfig:
        """Config that ingests it into the workspace that it lies in; the same is in its file `ingest.yaml`."""
        return IngestWorkloadConfig(workspace=str(self.location.parent), ingest=ingest_config(self.location))


def demo_data(
    config: DemoDataWorkloadConfig | PlainSettings = None,
    *,
    console: Console | None = None,
    progress: bool = False,
    **settings: Any,
) -> DemoShop:
    """Draw the demo shop into a workspace, or find the one that the same settings gave before.

    Args:
        config: A finished config, a mapping, or the path of a YAML file; see `visrec.workloads.settings`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.
        **settings: Settings laid over the mapping, the file or the defaults.

    Raises:
        ConfigError: A setting is wrong.
        DataError: The workspace holds a shop of other settings, which snapshots may still refer to.
        ClusterError: Ray cannot be reached.

    Example:
        >>> visrec.demo_data(workspace="shop", demo_data={"num_items": 200})             # doctest: +SKIP
        DemoShop(200 items, 3,000 users, 103,412 rows, /data/shop/demo-data)
    """
    job = workload_config(DemoDataWorkloadConfig, config, settings)
    console = workload_console(console, progress)
    folder = Location.parse(job.workspace) / FOLDER
    facts = {"seed": job.seed, "format_version": FORMAT_VERSION}
    if (folder / MANIFEST).exists():
        found = Artifact.open(folder)
        _check_same(found, job, facts)
        console.print(f"found the demo shop in {folder}, nothing to do")
        _print_counts(found, console)
        return DemoShop(found)
    if folder.exists():
        raise DataError(f"expected a demo shop or nothing at {folder}, found a folder without {MANIFEST}")
    _draw(job, folder, facts, console)
    made = Artifact.open(folder)
    _print_counts(made, console)
    return DemoShop(made)


def _draw(job: DemoDataWorkloadConfig, folder: Location, facts: dict[str, int], console: Console) -> None:
    writer = ArtifactWriter(folder, FOLDER, config=job.demo_data, parents={})
    with ray_session(job.ray), writer, _progress(console) as bars:
        tasks = {name: bars.add_task(name, total=None) for name in ("pictures", "users")}
        counts = write_shop(
            writer.staging,
            job.demo_data,
            job.seed,
            spread=spread_on_ray,
            watch=lambda what, done, total: bars.update(tasks[what], completed=done, total=total),
        )
        (writer.staging / "ingest.yaml").write_text(ingest_yaml(folder, folder.parent))
        writer.counts.update(
            num_items=job.demo_data.num_items, num_users=job.demo_data.num_users, num_rows=counts["rows"]
        )
        writer.facts.update(facts, counts=counts)


def spread_on_ray(function: Callable[[A], B], blocks: Iterable[A], /) -> Iterator[B]:
    """`map` as Ray tasks: results in the order of the blocks, a bounded number of them under way."""
    shared = share(function)
    return map_tasks(_call, ((shared, block) for block in blocks))


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


def _print_counts(found: Artifact, console: Console) -> None:
    counts, location = found.manifest.facts["counts"], found.location
    num_items, num_users = (int(found.manifest.counts[name]) for name in ("num_items", "num_users"))
    console.print(f"[bold]{num_items:,} items, {num_users:,} users, {counts['rows']:,} rows[/] in {location}")
    console.print(
        f"  of these dirty: {sum(counts['dirt'].values()):,} rows, {sum(counts['broken_pictures'].values())} pictures"
    )


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
