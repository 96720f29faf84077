"""How workload functions read their settings: one rule, one line for every mistake."""

import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from visrec.config import (
    EvaluateWorkloadConfig,
    IngestWorkloadConfig,
    ModelConfig,
    TrainWorkloadConfig,
    WorkloadConfig,
)
from visrec.config.base import RenamedKeyWarning
from visrec.errors import ConfigError
from visrec.workloads.settings import workload_config, workload_console

YAML = """
workspace: shop
model: {dim: 16, temperature: 0.5}
training: {phases: [{name: one}, {name: two}]}
evaluation: {ks: [5]}
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.yaml").write_text(YAML)
    return tmp_path / "shop.yaml"


def test_without_arguments_it_is_the_default_with_an_absolute_workspace(path: Path) -> None:
    job = workload_config(TrainWorkloadConfig, None, {})
    assert job == TrainWorkloadConfig(workspace=str(path.parent / "workspace"))


def test_a_config_is_taken_with_absolute_paths(path: Path) -> None:
    job = workload_config(TrainWorkloadConfig, TrainWorkloadConfig(workspace="w", seed=3), {})
    assert job == TrainWorkloadConfig(workspace=str(path.parent / "w"), seed=3)


def test_keywords_are_laid_over_a_file_key_by_key(path: Path) -> None:
    for source in (path, str(path), "shop.yaml"):
        job = workload_config(TrainWorkloadConfig, source, {"seed": 2, "model": {"dim": 32}})
        assert (job.workspace, job.seed) == (str(path.parent / "shop"), 2)
        assert (job.model.dim, job.model.temperature) == (32, 0.5)
        assert [phase.name for phase in job.training.phases] == ["one", "two"]


def test_lists_and_configs_replace_what_the_file_says(path: Path) -> None:
    settings: dict[str, Any] = {"training": {"phases": [{"name": "three"}]}, "model": ModelConfig(dim=8)}
    job = workload_config(TrainWorkloadConfig, path, settings)
    assert [phase.name for phase in job.training.phases] == ["three"]
    assert job.model == ModelConfig(dim=8)


def test_a_mapping_may_hold_the_sections_of_other_workloads(path: Path) -> None:
    values = {"seed": 1, "model": {"dim": 8}, "evaluation": {"ks": [7]}}
    assert workload_config(TrainWorkloadConfig, values, {"seed": 2}).seed == 2
    assert workload_config(EvaluateWorkloadConfig, values, {}).evaluation.ks == (7,)
    assert values["seed"] == 1  # the caller's mapping is left alone


def test_paths_of_the_input_become_absolute(path: Path) -> None:
    ingest = {"interactions": {"path": "log.csv"}}
    job = workload_config(IngestWorkloadConfig, None, {"ingest": ingest})
    (log,) = job.ingest.logs.values()
    assert log.path == os.path.join(path.parent, "log.csv")


@pytest.mark.parametrize(
    ("source", "settings", "line"),
    [
        (
            TrainWorkloadConfig(),
            {"seed": 1},
            "expected a TrainWorkloadConfig without keywords, got seed as well",
        ),
        (EvaluateWorkloadConfig(), {}, "expected a TrainWorkloadConfig, got a EvaluateWorkloadConfig"),
        (
            None,
            {"evaluation": {}},
            "evaluation: unknown setting; expected one of workspace, seed, ray, snapshot",
        ),
        (None, {"sead": 1}, "sead: unknown setting; expected one of workspace, seed"),
        (None, {"model": {"dims": 1}}, r"model\.dims: unknown key; did you mean 'dim'\?"),
        ({"trainning": {}}, {}, "trainning: unknown key; did you mean 'training'"),
        (
            {"model": ModelConfig()},
            {"model": {"dim": 8}},
            "model: expected a whole ModelConfig over a ModelConfig",
        ),
        ("none.yaml", {}, "config file not found: none.yaml"),
        (3, {}, "expected a TrainWorkloadConfig, a mapping or the path of a YAML file, got a int"),
    ],
)
def test_mistakes_are_one_line(source: Any, settings: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError, match=line) as caught:
        workload_config(TrainWorkloadConfig, source, settings)
    assert "\n" not in str(caught.value)


def test_a_former_key_is_read_with_a_warning() -> None:
    loss = {"training": {"phases": [{"loss": {"spared_positives": "seen"}}]}}
    with pytest.warns(
        RenamedKeyWarning, match=r"training\.phases\.0\.loss\.spared_positives is now called positive_masking"
    ):
        job = workload_config(TrainWorkloadConfig, None, loss)
    assert job.training.phases[0].loss.positive_masking == "seen"


def test_nothing_is_printed_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = workload_console(None, progress=False)
    quiet.print("text")
    assert not quiet.is_terminal
    assert capsys.readouterr().out == ""
    workload_console(None, progress=True).print("text")
    assert capsys.readouterr().out == "text\n"
    mine = Console()
    assert workload_console(mine, progress=True) is mine


def test_a_subclass_of_the_config_is_a_config_too() -> None:
    class Wider(WorkloadConfig):
        extra: int = 1

    assert workload_config(WorkloadConfig, Wider(workspace="/w", extra=2), {}) == Wider(
        workspace="/w", extra=2
    )
