"""The `visrec` command: one subcommand a workload. Heavy imports wait until a workload is really run."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from visrec import __version__
from visrec.config import WORKLOADS, WorkloadConfig, dump_yaml, json_schema, load_config, with_absolute_paths
from visrec.errors import VisrecError
from visrec.storage import Workspace

app = typer.Typer(
    name="visrec",
    help="Train a recommender straight from item pictures and interaction logs, and serve it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Show and describe configs.", no_args_is_help=True)
app.add_typer(config_app, name="config")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file with the sections of any workload.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", "-s", help="key.path=value, laid over the file; repeat.")
]


WorkloadName = Literal[
    "demo-data", "ingest", "train", "tune", "train-ranker", "evaluate", "publish", "serve", "demo"
]


def main() -> None:
    """Entry point: a user's mistake is one line on standard error and exit code 2."""
    try:
        app()
    except VisrecError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]error:[/] {_plain(error)}")
        sys.exit(2)


def _plain(error: VisrecError) -> str:
    return " ".join(str(error).split()).replace("[", r"\[")


def _run(name: str, config: Path | None, overrides: list[str] | None, **options: Any) -> None:
    job = with_absolute_paths(load_config(WORKLOADS[name], config, overrides or []))
    module = import_module(f"visrec.workloads.{name.replace('-', '_')}")
    run: Callable[..., Any] = module.run
    run(job, console=Console(highlight=False), **options)


@app.command("demo-data")
def demo_data(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Draw a shop: pictures, users with tastes, an interaction log with dirt, and the truth beside them."""
    _run("demo-data", config, set_)


@app.command()
def ingest(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Turn logs and pictures into a snapshot."""
    _run("ingest", config, set_)


@app.command()
def train(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Train the two towers on a snapshot."""
    _run("train", config, set_)


@app.command()
def tune(
    config: ConfigOption = None,
    set_: SetOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an unfinished study of this config.")
    ] = False,
) -> None:
    """Search for better settings of `visrec train`."""
    _run("tune", config, [*(set_ or []), *(["tune.resume=true"] if resume else [])])


@app.command()
def tracking(
    config: ConfigOption = None,
    set_: SetOption = None,
    port: Annotated[int, typer.Option("--port", help="Of the page, on 127.0.0.1.")] = 5000,
) -> None:
    """Open MLflow's page over the workspace's studies (needs the extra `tracking`)."""
    job = with_absolute_paths(load_config(WorkloadConfig, config, set_ or []))
    import_module("visrec.workloads.tracking").run(job, console=Console(highlight=False), port=port)


@app.command("train-ranker")
def train_ranker(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Learn to put the two towers' candidates in order."""
    _run("train-ranker", config, set_)


@app.command()
def evaluate(
    config: ConfigOption = None,
    set_: SetOption = None,
    attack: Annotated[
        Literal["pixels"] | None,
        typer.Option("--attack", help="Also measure robustness against changed pictures."),
    ] = None,
) -> None:
    """Measure a checkpoint against baselines over the full catalogue."""
    _run("evaluate", config, [*([f"evaluation.attack.kind={attack}"] if attack else []), *(set_ or [])])


@app.command()
def publish(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Make a release from a checkpoint, if it passes the gate."""
    _run("publish", config, set_)


@app.command()
def serve(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Serve the current release over HTTP."""
    _run("serve", config, set_)


@app.command()
def demo(
    config: ConfigOption = None,
    set_: SetOption = None,
    exit_: Annotated[
        bool, typer.Option("--exit", help="End after the sample queries instead of serving on.")
    ] = False,
) -> None:
    """The whole line on generated data: draw, ingest, train, evaluate, publish, serve, query."""
    _run("demo", config, set_, exit_after_queries=exit_)


@app.command()
def submit(
    workload: WorkloadName,
    config: ConfigOption = None,
    set_: SetOption = None,
    address: Annotated[
        str, typer.Option("--address", envvar="RAY_API_SERVER_ADDRESS", help="The cluster's dashboard.")
    ] = "http://127.0.0.1:8265",
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Return when the job is accepted.")] = False,
    stop_on_interrupt: Annotated[
        bool, typer.Option("--stop-on-interrupt", help="Ctrl-C stops the job, not only the following.")
    ] = False,
    prepare: Annotated[
        Path | None,
        typer.Option(
            "--prepare", help="Only write code and config to this folder, and print Ray's own command."
        ),
    ] = None,
) -> None:
    """Run a workload as a job on a Ray cluster, follow its log, exit with its exit code."""
    job = load_config(_workload(workload), config, set_ or [])
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
    """List the releases of a workspace; the live one is marked."""
    from visrec.releases import list_releases

    for entry in list_releases(_workspace(config, set_)):
        mark = "*" if entry.is_current else " "
        typer.echo(
            f"{mark} {entry.name}  {entry.created_at}  {entry.num_items:,} items  of checkpoint {entry.checkpoint}"
        )


@app.command("activate")
def activate_release(name: str, config: ConfigOption = None, set_: SetOption = None) -> None:
    """Make a release the live one; running servers take it up by themselves."""
    from visrec.releases import activate

    activate(_workspace(config, set_), name)
    typer.echo(f"{name} is the current release")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@config_app.command("show")
def config_show(workload: WorkloadName, config: ConfigOption = None, set_: SetOption = None) -> None:
    """Print a workload's config as YAML, defaults filled in."""
    typer.echo(dump_yaml(load_config(_workload(workload), config, set_ or [])), nl=False)


@config_app.command("schema")
def config_schema(workload: WorkloadName) -> None:
    """Print the JSON schema of a workload's config."""
    typer.echo(json_schema(_workload(workload)))


def _workspace(config: Path | None, overrides: list[str] | None) -> Workspace:
    return Workspace(load_config(WorkloadConfig, config, overrides or []).workspace)


def _workload(name: str) -> type[WorkloadConfig]:
    return WORKLOADS[name]


if __name__ == "__main__":
    main()
