"""The subcommands of `visrec`, one for each workload. Ray and torch are imported only when a workload runs."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.console import Console

from visrec import __version__
from visrec.config import WORKLOADS, WorkloadConfig, dump_yaml, json_schema, load_config, with_absolute_paths
from visrec.errors import VisrecError
from visrec.storage import ArtifactStore
from visrec.workloads.terminal import minutes_of, notes_of_renamed_keys, print_line

app = typer.Typer(
    name="visrec",
    help="Train a recommender straight from item pictures and interaction logs, and serve it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Print configs and their schema.", no_args_is_help=True)
app.add_typer(config_app, name="config")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="YAML file; it may hold the sections of several workloads."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="A setting as key.path=value, laid over the file. May be repeated."),
]
ConfigT = TypeVar("ConfigT", bound=WorkloadConfig)

WorkloadName = Literal[
    "demo-data", "ingest", "train", "tune", "train-ranker", "evaluate", "publish", "serve", "demo"
]


def run() -> None:
    """Run the command line: an error that the user can mend is one line on standard error and exit code 2."""
    try:
        app()
    except VisrecError as error:
        print_line("[bold red]error:[/]", str(error))
        sys.exit(2)


def _load(kind: type[ConfigT], config: Path | None, overrides: list[str] | None) -> ConfigT:
    with notes_of_renamed_keys():
        return load_config(kind, config, overrides or [])


def _run(
    name: str,
    config: Path | None,
    overrides: list[str] | None,
    *,
    function: str | None = None,
    **options: Any,
) -> Any:
    """Result of the function of a workload; it has the name of its module unless another one is given."""
    job = with_absolute_paths(_load(WORKLOADS[name], config, overrides))
    module = name.replace("-", "_")
    workload: Callable[..., Any] = getattr(import_module(f"visrec.workloads.{module}"), function or module)
    return workload(job, console=Console(highlight=False), **options)


@app.command("demo-data")
def demo_data(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Generate a demo shop: pictures, a catalogue and an interaction log with realistic errors."""
    shop = _run("demo-data", config, set_)
    command = f"visrec ingest --config {shop.location / 'ingest.yaml'}"
    Console(highlight=False).print(f"next: {command}", soft_wrap=True, markup=False)


@app.command()
def init(
    paths: Annotated[list[str], typer.Argument(help="Folders or files: logs, a catalogue, pictures.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The config to write.")] = Path("shop.yaml"),
    log: Annotated[
        list[str] | None, typer.Option("--log", help="A file that is a log. May be repeated.")
    ] = None,
    set_: SetOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the config.")] = False,
) -> None:
    """Look at your data and write the config that ingests it. Exit code 3: a question needs your answer first."""
    look = import_module("visrec.workloads.init").init
    console = Console(highlight=False)
    result = look(*paths, output=output, logs=log or [], settings=set_ or [], force=force, console=console)
    if not result.runs:
        raise typer.Exit(3)


@app.command()
def ingest(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Make a snapshot of interaction logs, a catalogue and pictures."""
    _run("ingest", config, set_)


@app.command()
def train(
    config: ConfigOption = None,
    set_: SetOption = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", help="Longest training: 90s, 10m, 2h. Sets training.budget_minutes."),
    ] = None,
) -> None:
    """Train a model on a snapshot: without settings, a blend of members that visrec chooses by the data."""
    minutes = [f"training.budget_minutes={minutes_of(budget)}"] if budget is not None else []
    _run("train", config, [*(set_ or []), *minutes])


@app.command()
def tune(
    config: ConfigOption = None,
    set_: SetOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an unfinished study of this config.")
    ] = False,
) -> None:
    """Search for better settings of `visrec train` with Ray Tune."""
    _run("tune", config, [*(set_ or []), *(["tune.resume=true"] if resume else [])])


@app.command()
def tracking(
    config: ConfigOption = None,
    set_: SetOption = None,
    port: Annotated[int, typer.Option("--port", help="Port of the page on 127.0.0.1.")] = 5000,
) -> None:
    """Serve MLflow's page of the workspace's studies (needs the extra `tracking`)."""
    job = with_absolute_paths(_load(WorkloadConfig, config, set_))
    server = import_module("visrec.workloads.tracking")
    raise typer.Exit(server.run(job, console=Console(highlight=False), port=port))


@app.command("train-ranker")
def train_ranker(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Train the ranker that orders the candidates of a checkpoint."""
    _run("train-ranker", config, set_)


@app.command()
def evaluate(
    config: ConfigOption = None,
    set_: SetOption = None,
    attack: Annotated[
        Literal["pixels"] | None,
        typer.Option("--attack", help="Also measure robustness against adversarial pictures."),
    ] = None,
) -> None:
    """Measure a checkpoint and the baselines over the full catalogue."""
    _run("evaluate", config, [*([f"evaluation.attack.kind={attack}"] if attack else []), *(set_ or [])])


@app.command()
def publish(
    config: ConfigOption = None,
    set_: SetOption = None,
    force: Annotated[bool, typer.Option("--force", help="Publish a model that the gate refuses.")] = False,
) -> None:
    """Make a release of a checkpoint if its report passes the gate."""
    _run("publish", config, [*(set_ or []), *(["release.force=true"] if force else [])])


@app.command()
def serve(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Serve the current release over HTTP."""
    _run("serve", config, set_, function="run")


@app.command()
def demo(
    config: ConfigOption = None,
    set_: SetOption = None,
    exit_: Annotated[
        bool, typer.Option("--exit", help="Exit after the sample queries instead of serving on.")
    ] = False,
) -> None:
    """All steps on generated data: generate, ingest, train, evaluate, publish, serve and query."""
    _run("demo", config, set_, function="run", exit_after_queries=exit_)


@app.command()
def submit(
    workload: WorkloadName,
    config: ConfigOption = None,
    set_: SetOption = None,
    address: Annotated[
        str,
        typer.Option(
            "--address", envvar="RAY_API_SERVER_ADDRESS", help="Address of the cluster's dashboard."
        ),
    ] = "http://127.0.0.1:8265",
    no_follow: Annotated[
        bool, typer.Option("--no-follow", help="Return as soon as the cluster has accepted the job.")
    ] = False,
    stop_on_interrupt: Annotated[
        bool,
        typer.Option(
            "--stop-on-interrupt", help="Ctrl-C stops the job, instead of only detaching from its log."
        ),
    ] = False,
    prepare: Annotated[
        Path | None,
        typer.Option(
            "--prepare",
            help="Only write code and config to this folder and print the `ray job submit` command.",
        ),
    ] = None,
) -> None:
    """Run a workload as a job on a Ray cluster, follow its log, exit with its exit code."""
    job = _load(WORKLOADS[workload], config, set_)
    submission = import_module("visrec.workloads.submit")
    console = Console(highlight=False)
    if prepare is not None:
        files = submission.prepare(workload, job, prepare.absolute())
        console.print(files.ray_command(address), soft_wrap=True)
        return
    result = submission.run(
        workload,
        job,
        console=console,
        address=address,
        follow=not no_follow,
        stop_on_interrupt=stop_on_interrupt,
    )
    raise typer.Exit(result.exit_code)


@app.command()
def releases(config: ConfigOption = None, set_: SetOption = None) -> None:
    """List the releases of a workspace; `*` marks the current one."""
    from visrec.releases import list_releases

    workspace = _workspace(config, set_)
    entries = list_releases(workspace)
    if not entries:
        typer.echo(f"no releases in {workspace.root} yet; make one with `visrec publish`")
    for entry in entries:
        mark = "*" if entry.is_current else " "
        typer.echo(
            f"{mark} {entry.name}  {entry.created_at}  {entry.num_items:,} items  of checkpoint {entry.checkpoint}"
        )


@app.command("activate")
def activate_release(name: str, config: ConfigOption = None, set_: SetOption = None) -> None:
    """Make a release the current one; running servers switch to it by themselves."""
    from visrec.releases import activate

    activate(_workspace(config, set_), name)
    typer.echo(f"{name} is the current release")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@config_app.command("show")
def config_show(workload: WorkloadName, config: ConfigOption = None, set_: SetOption = None) -> None:
    """Print the config of a workload as YAML, with the defaults filled in."""
    typer.echo(dump_yaml(_load(WORKLOADS[workload], config, set_)), nl=False)


@config_app.command("schema")
def config_schema(workload: WorkloadName) -> None:
    """Print the JSON schema of the config of a workload."""
    typer.echo(json_schema(WORKLOADS[workload]))


def _workspace(config: Path | None, overrides: list[str] | None) -> ArtifactStore:
    return ArtifactStore(_load(WorkloadConfig, config, overrides).workspace)
