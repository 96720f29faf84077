"""Values of YAML that are text as they were written: times, days, names that look like numbers or yes/no."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from visrec.config import PipelineConfig, load_config, parse_config
from visrec.config.ingest import InteractionsConfig
from visrec.config.written import load_written, plain_values
from visrec.errors import ConfigError
from visrec.workloads.settings import workload_config

YEAR_2000 = "2000-01-01T00:00:00Z"
TIMES = [
    "2000-01-01T00:00:00Z",
    "'2000-01-01T00:00:00Z'",
    "2000-01-01",
    "2000-01-01 00:00:00",
    "2000-01-01 00:00:00 UTC",
    "2000-01-01 02:00:00 +02:00",
    "2000-01-01T00:00:00.000+0000",
]
NAMES = ["0123", "1e3", "1_000", "yes", "Off", "12:30:45", "1.0", "2000-01-01", ".inf", "0x1F"]
EXPECTED_TIME = "expected an ISO 8601 time such as 1990-01-01T00:00:00Z"


def _log(*overrides: str) -> InteractionsConfig:
    log = load_config(PipelineConfig, overrides=overrides).ingest.interactions
    assert isinstance(log, InteractionsConfig)
    return log


@pytest.mark.parametrize("written", TIMES)
def test_a_time_needs_no_quotes_and_has_one_meaning(tmp_path: Path, written: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(f"ingest:\n  cleaning:\n    min_time: {written}\n")
    by_file = load_config(PipelineConfig, path)
    by_option = load_config(PipelineConfig, overrides=[f"ingest.cleaning.min_time={written}"])
    by_function = workload_config(PipelineConfig, path, {})
    assert by_file.ingest.cleaning.min_time == YEAR_2000
    assert by_option.ingest == by_function.ingest == by_file.ingest


@pytest.mark.parametrize("name", NAMES)
def test_names_stay_what_was_written(name: str) -> None:
    assert _log(f"ingest.interactions.columns.user_id={name}").columns.user_id == name
    log = _log(f"ingest.interactions={{kind_names: {{{name}: cart}}, path: {name}}}")
    assert (log.path, log.kind_names) == (name, {name: "cart"})


def test_null_is_no_name_and_other_types_keep_their_values() -> None:
    assert _log("ingest.interactions.columns.kind=null").columns.kind is None
    settings = ["seed=3", "ingest.events.weights={view: 1}", "model.item.id_embedding=yes"]
    config = load_config(PipelineConfig, overrides=[*settings, "tune.space={model.dim: {choice: [8, 16]}}"])
    assert (config.seed, config.ingest.events.weights) == (3, {"view": 1.0})
    assert config.model.item.id_embedding is True
    assert config.tune.space["model.dim"].choice == (8, 16)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("seed=2000-01-01", "seed: expected integer, got '2000-01-01'"),
        ("training.phases.0.epochs=1.50", "training.phases.0.epochs: expected integer, got 1.50"),
        ("model.dim=no", "model.dim: expected greater than or equal to 2, got no"),
        (
            "ingest.cleaning.min_time=01/02/2003",
            f"ingest.cleaning.min_time: {EXPECTED_TIME}, got '01/02/2003'",
        ),
        ("ingest.cleaning.min_time=1990", f"ingest.cleaning.min_time: {EXPECTED_TIME}, got '1990'"),
    ],
)
def test_a_message_shows_the_value_as_it_was_written(override: str, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(PipelineConfig, overrides=[override])
    assert str(error.value) == line


def test_a_list_is_no_key() -> None:
    with pytest.raises(yaml.YAMLError, match="expected a name as a key"):
        load_written("{[1, 2]: 3}")


def test_anchors_and_merged_mappings_work() -> None:
    assert load_written("a: &x {b: c}\nd: {<<: *x, e: f}") == {"a": {"b": "c"}, "d": {"b": "c", "e": "f"}}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-100, 100) | st.floats(-10, 10) | st.text("ab0", max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_dumped_values_read_back_the_same(values: Any) -> None:
    """`when` of a parameter takes anything, so every value keeps its type."""
    tree = load_written(yaml.safe_dump({"tune": {"space": {"seed": {"when": {"model.dim": values}}}}}))
    assert plain_values(PipelineConfig, tree)["tune"]["space"]["seed"]["when"] == {"model.dim": values}


def test_values_that_are_not_from_yaml_are_not_turned_into_text() -> None:
    with pytest.raises(ConfigError, match=r"ingest\.interactions\.path: expected string, got 3"):
        parse_config(PipelineConfig, {"ingest": {"interactions": {"path": 3}}})
