"""The command as a user meets it: each run is a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import checkerboard_snapshot
from typer.testing import CliRunner

from visrec import __version__
from visrec.config import WORKLOADS, PipelineConfig, TrainWorkloadConfig, dump_yaml
from visrec.errors import ConfigError
from visrec.storage import ArtifactStore
from visrec.workloads.commands import app


def visrec(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "visrec.workloads.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["train", "--set", "trainning.seed=1"],
            "error: trainning: unknown key; did you mean 'training'?",
        ),
        (["ingest", "--config", "none.yaml"], "error: config file not found: none.yaml"),
        (
            ["submit", "train", "--address", "localhost"],
            "error: expected the dashboard's address, such as http://",
        ),
        (["demo-data", "--set", "ray.address=127.0.0.1:1"], "error: expected a Ray 2."),
        (
            ["submit", "train", "--address", "http://127.0.0.1:1"],
            "error: expected a Ray cluster's dashboard at http://127.0.0.1:1: nothing answers",
        ),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(tmp_path: Path, arguments: list[str], line: str) -> None:
    done = visrec(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(line)
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_attack_turns_robustness_on(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path / "workspace"))
    make_checkpoint(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=12))
    here, steps = f"workspace={tmp_path}/workspace", "evaluation.attack.steps=3"
    done = CliRunner().invoke(app, ["evaluate", "--attack", "pixels", "--set", here, "--set", steps])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(
        "evaluation.attack: expected a model that reads pictures, got checkpoint"
    )


def test_brackets_in_an_error_are_shown_as_they_are(tmp_path: Path) -> None:
    done = visrec("train", "--set", "seed=[bold]", cwd=tmp_path)
    assert done.stderr == "error: seed: expected integer, got ['bold']\n"


def test_each_former_key_is_a_note_of_one_line_and_not_a_python_warning(tmp_path: Path) -> None:
    losses = {"one": "seen", "two": "all"}
    phases = [{"name": name, "loss": {"spared_positives": value}} for name, value in losses.items()]
    (tmp_path / "old.yaml").write_text(yaml.safe_dump({"training": {"phases": phases}}))
    done = visrec("config", "show", "train", "--config", "old.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"note: training.phases.{place}.loss.spared_positives is now called positive_masking"
        for place in (0, 1)
    ]
    shown = yaml.safe_load(done.stdout)["training"]["phases"]
    assert {phase["name"]: phase["loss"]["positive_masking"] for phase in shown} == losses


@pytest.mark.parametrize("workload", sorted(WORKLOADS))
def test_config_show_is_what_a_config_file_may_hold(workload: str) -> None:
    shown = CliRunner().invoke(app, ["config", "show", workload])
    assert shown.exit_code == 0
    assert yaml.safe_load(shown.output) == WORKLOADS[workload]().model_dump(mode="json")


def test_config_show_lays_set_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("seed: 3\nmodel: {dim: 16}\n")
    shown = CliRunner().invoke(app, ["config", "show", "train", "-c", str(path), "-s", "model.dim=8"])
    assert shown.output == dump_yaml(
        TrainWorkloadConfig(seed=3, model=TrainWorkloadConfig().model.replace(dim=8))
    )


def test_config_schema_names_every_key_and_its_meaning() -> None:
    shown = CliRunner().invoke(app, ["config", "schema", "demo"])
    schema = yaml.safe_load(shown.output)
    assert set(schema["properties"]) == set(PipelineConfig.model_fields)
    assert schema["properties"]["seed"]["description"] == "Seed of all random numbers."


def test_every_workload_is_a_command_and_can_be_submitted() -> None:
    commands = {c.name or str(c.callback.__name__) for c in app.registered_commands if c.callback}
    assert set(WORKLOADS) <= commands
    for workload in WORKLOADS:
        assert CliRunner().invoke(app, [workload, "--help"]).exit_code == 0


def test_version() -> None:
    assert CliRunner().invoke(app, ["version"]).output == f"{__version__}\n"


def test_an_unknown_command_names_the_mistake() -> None:
    done = CliRunner().invoke(app, ["trian"])
    assert done.exit_code == 2
    assert "trian" in done.output
