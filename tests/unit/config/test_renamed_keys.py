"""Keys by their former names: in YAML, on the command line, in a study's space, in Python, and in stored configs."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from visrec.config import (
    DemoDataConfig,
    LossConfig,
    PipelineConfig,
    RenamedKeyWarning,
    ServeConfig,
    TrainWorkloadConfig,
    TuneWorkloadConfig,
    UserTowerConfig,
    load_config,
    parse_config,
)
from visrec.config.base import Config
from visrec.config.keys import current_key
from visrec.errors import ConfigError

FORMER = "training.phases.0.loss.spared_positives"
PRESENT = "training.phases.0.loss.positive_masking"


def _file(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("kind", "former", "name", "value"),
    [
        (LossConfig, "spared_positives", "positive_masking", "seen"),
        (LossConfig, "explicit_weight", "explicit_negative_weight", 2.0),
        (UserTowerConfig, "mean_taste", "mean_pooling", False),
        (UserTowerConfig, "taste_half_life", "pooling_half_life", 5.5),
        (ServeConfig, "follow_release_s", "release_poll_s", 7.0),
        (DemoDataConfig, "dirt", "dirty_share", 0.1),
    ],
)
def test_each_former_name_is_read_with_a_warning(
    kind: type[Config], former: str, name: str, value: Any
) -> None:
    with pytest.warns(RenamedKeyWarning, match=f"^{former} is now called {name}$"):
        config = kind(**{former: value})
    assert getattr(config, name) == value
    assert config == kind(**{name: value})
    assert former not in config.model_dump()


def test_in_a_list_in_yaml_the_warning_has_the_whole_key(tmp_path: Path) -> None:
    path = _file(tmp_path, "training: {phases: [{loss: {spared_positives: none}}]}")
    with pytest.warns(RenamedKeyWarning, match=f"^{FORMER} is now called positive_masking$"):
        job = load_config(TrainWorkloadConfig, path)
    assert job.training.phases[0].loss.positive_masking == "none"


@pytest.mark.parametrize("in_file", ["spared_positives", "positive_masking"])
@pytest.mark.parametrize("in_override", [FORMER, PRESENT])
@pytest.mark.filterwarnings("ignore::visrec.config.base.RenamedKeyWarning")
def test_set_overrides_the_file_whichever_of_the_names_each_of_them_uses(
    tmp_path: Path, in_file: str, in_override: str
) -> None:
    path = _file(tmp_path, f"training: {{phases: [{{loss: {{{in_file}: none}}}}]}}")
    job = load_config(TrainWorkloadConfig, path, [f"{in_override}=seen"])
    assert job.training.phases[0].loss.positive_masking == "seen"


def test_set_warns(tmp_path: Path) -> None:
    with pytest.warns(RenamedKeyWarning, match=f"^{FORMER} is now called positive_masking$"):
        job = load_config(PipelineConfig, overrides=[f"{FORMER}=seen"])
    assert job.training.phases[0].loss.positive_masking == "seen"


def test_both_names_at_once_are_refused_in_one_line(tmp_path: Path) -> None:
    path = _file(tmp_path, "model: {user: {mean_taste: true, mean_pooling: false}}")
    with pytest.raises(
        ConfigError, match=r"^model\.user: expected mean_pooling once, got it by its former name"
    ):
        load_config(TrainWorkloadConfig, path)


def test_a_study_maps_the_keys_of_its_space_conditions_and_mutations() -> None:
    space = {
        "model.user.mean_taste": {"choice": [True, False]},
        "model.user.taste_half_life": {"uniform": [2, 9], "when": {"model.user.mean_taste": True}},
        FORMER: {"choice": ["all", "seen"]},
    }
    values = {"tune": {"space": space, "scheduler": {"mutate": [FORMER]}}}
    with pytest.warns(RenamedKeyWarning) as caught:
        study = parse_config(TuneWorkloadConfig, values).tune
    assert {str(warning.message) for warning in caught} == {
        "model.user.mean_taste is now called mean_pooling",
        "model.user.taste_half_life is now called pooling_half_life",
        f"{FORMER} is now called positive_masking",
    }
    assert list(study.space) == ["model.user.mean_pooling", "model.user.pooling_half_life", PRESENT]
    assert study.space["model.user.pooling_half_life"].when == {"model.user.mean_pooling": True}
    assert study.scheduler.mutate == (PRESENT,)


@pytest.mark.filterwarnings("ignore::visrec.config.base.RenamedKeyWarning")
def test_a_study_refuses_a_key_by_both_names() -> None:
    space = {FORMER: {"choice": ["all"]}, PRESENT: {"choice": ["seen"]}}
    with pytest.raises(
        ConfigError, match="space: expected each key once, got one by its former name as well"
    ):
        parse_config(TuneWorkloadConfig, {"tune": {"space": space}})


def test_what_an_artifact_stores_is_read_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = parse_config(UserTowerConfig, {"taste_half_life": 3}, stored=True)
    assert config.pooling_half_life == 3


def test_unknown_steps_of_a_key_are_left_to_validation() -> None:
    assert current_key(PipelineConfig, "no.such.key") == "no.such.key"
    assert current_key(PipelineConfig, "training.phases.2.los.name") == "training.phases.2.los.name"
