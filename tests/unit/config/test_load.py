import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import visrec.config
from visrec.config import (
    WORKLOADS,
    Config,
    IngestWorkloadConfig,
    ParameterConfig,
    PipelineConfig,
    ServeConfig,
    TrainWorkloadConfig,
    WorkloadConfig,
    dump_yaml,
    json_schema,
    load_config,
    parse_config,
)
from visrec.config.keys import configs_in
from visrec.errors import ConfigError

EXAMPLES = Path(__file__).parents[3] / "examples"


def _config_classes(kind: type[Config]) -> Iterator[type[Config]]:
    """A class and all classes of its fields, at any depth."""
    yield kind
    for field in kind.model_fields.values():
        for inner in configs_in(field.annotation).values():
            yield from _config_classes(inner)


CLASSES = list(dict.fromkeys([*WORKLOADS.values(), *_config_classes(PipelineConfig)]))
WITH_DEFAULTS = [
    kind
    for kind in CLASSES
    if kind is not ParameterConfig and not any(f.is_required() for f in kind.model_fields.values())
]
"""The shapes of a field that takes several have a key that must be given; so has a parameter: one distribution."""


@pytest.mark.parametrize("kind", WITH_DEFAULTS, ids=lambda k: k.__name__)
def test_nothing_given_is_the_default(kind: type[Config]) -> None:
    assert parse_config(kind, {}) == kind()


def test_public_names_are_sorted_and_are_there() -> None:
    names = visrec.config.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))  # constants first
    assert set(names) >= {kind.__name__ for kind in WORKLOADS.values()}
    assert all(hasattr(visrec.config, name) for name in names)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.y*ml")), ids=lambda p: p.name)
def test_every_example_loads(path: Path) -> None:
    load_config(PipelineConfig, path)


def test_there_are_examples() -> None:
    assert len(list(EXAMPLES.rglob("*.yaml"))) >= 10


def test_a_part_of_a_config_is_what_its_own_command_would_read(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("seed: 3\nmodel: {dim: 16}\nserve: {port: 9000}\n")
    everything = load_config(PipelineConfig, path)
    for kind in WORKLOADS.values():
        assert everything.project(kind) == load_config(kind, path)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda k: k.__name__)
def test_every_key_is_documented(kind: type[Config]) -> None:
    sections = {name for name, field in kind.model_fields.items() if configs_in(field.annotation)}
    assert not [
        name for name, field in kind.model_fields.items() if not field.description and name not in sections
    ]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda k: k.__name__)
def test_every_class_is_documented_and_frozen_and_refuses_unknown_keys(kind: type[Config]) -> None:
    assert kind.__doc__
    with pytest.raises(ConfigError, match="no_such_key: unknown key"):
        parse_config(kind, {"no_such_key": 1})
    assert kind.model_config["frozen"]


@pytest.mark.parametrize("kind", WITH_DEFAULTS, ids=lambda k: k.__name__)
def test_nothing_changes_in_place(kind: type[Config]) -> None:
    first = next(iter(kind.model_fields))
    with pytest.raises(ValueError, match="frozen"):
        setattr(kind(), first, getattr(kind(), first))


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_yaml_round_trip(name: str, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    config = WORKLOADS[name](seed=7)
    path.write_text(dump_yaml(config))
    assert load_config(WORKLOADS[name], path) == config


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_schema_is_json_with_every_key(name: str) -> None:
    assert set(json.loads(json_schema(WORKLOADS[name]))["properties"]) == set(WORKLOADS[name].model_fields)


def test_one_file_serves_every_workload(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("seed: 3\nmodel: {dim: 16}\nserve: {port: 9000}\n")
    assert load_config(TrainWorkloadConfig, path).model.dim == 16
    assert load_config(WorkloadConfig, path) == WorkloadConfig(seed=3)


def test_a_typo_in_a_section_of_another_workload_shows_at_once(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("serve: {prot: 9000}\n")
    with pytest.raises(ConfigError, match=r"serve\.prot: unknown key; did you mean 'port'\?"):
        load_config(TrainWorkloadConfig, path)


def test_a_gpu_needs_a_worker() -> None:
    with pytest.raises(ConfigError, match="use_gpu: true needs num_workers of at least 1, got 0"):
        load_config(
            TrainWorkloadConfig, overrides=["training.scaling.num_workers=0", "training.scaling.use_gpu=true"]
        )


def test_set_is_laid_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("training: {phases: [{name: warmup, epochs: 1}, {name: main}]}\n")
    job = load_config(
        TrainWorkloadConfig,
        path,
        [
            "training.phases.0.epochs=3",
            "training.phases.1.loss.logq_correction=false",
            "training.phases.2.name=last",
            "training.scaling.resources_per_worker={CPU: 0.5}",
            "model.item.backbone=null",
        ],
    )
    assert [(p.name, p.epochs) for p in job.training.phases] == [("warmup", 3), ("main", 5), ("last", 5)]
    assert job.training.phases[1].loss.logq_correction is False
    assert job.training.scaling.resources_per_worker == {"CPU": 0.5}
    assert job.model.item.backbone is None


def test_set_reaches_one_log_and_several(tmp_path: Path) -> None:
    one = load_config(
        IngestWorkloadConfig,
        overrides=["ingest.interactions.path=a", "ingest.interactions.columns.kind=null"],
    )
    assert {name: log.path for name, log in one.ingest.logs.items()} == {"ingest.interactions": "a"}
    path = tmp_path / "shop.yaml"
    path.write_text("ingest: {interactions: [{path: a}, {path: b, default_kind: cart}]}")
    more = ["ingest.interactions.1.default_kind=purchase", "ingest.interactions.2.path=c"]
    three = load_config(IngestWorkloadConfig, path, more).ingest.logs
    assert [(log.path, log.default_kind) for log in three.values()] == [
        ("a", "click"),
        ("b", "purchase"),
        ("c", "click"),
    ]
    with pytest.raises(ConfigError, match="expected a list place from 0 to 2, got 'path'"):
        load_config(IngestWorkloadConfig, path, ["ingest.interactions.path=a"])


def test_set_takes_lists_and_text_with_an_equals_sign() -> None:
    job = load_config(PipelineConfig, overrides=["evaluation.ks=[20, 5, 5]", "evaluation.truth=a=b"])
    assert job.evaluation.ks == (5, 20)
    assert job.evaluation.truth == "a=b"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "--set expects key.path=value, got 'seed'"),
        ("=1", "--set expects key.path=value, got '=1'"),
        ("seed=[", "--set seed: the value '[' is not valid YAML"),
        ("seed.x=1", "seed: expected integer, got {'x': 1}"),
        (
            "training.phases.3.epochs=1",
            "--set training.phases.3.epochs: expected a list place from 0 to 0, got '3'",
        ),
        ("training.phases.first=1", "training.phases: expected a list, got {'first': 1}"),
    ],
)
def test_a_wrong_set_is_one_line(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(PipelineConfig, overrides=[override])
    assert str(caught.value) == message


def test_nothing_lies_below_a_plain_value(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("seed: 3\n")
    with pytest.raises(
        ConfigError, match=r"^--set seed\.x: nothing lies below it, its parent is a plain value$"
    ):
        load_config(PipelineConfig, path, ["seed.x=1"])
    with pytest.raises(
        ConfigError, match=r"^--set seed\.x\.y: nothing lies below 'x', its parent is a plain value$"
    ):
        load_config(PipelineConfig, path, ["seed.x.y=1"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- 1\n- 2\n", "expected a mapping of sections, got list"),
        (b"seed: [1\n", "is not valid YAML at line 2, column 1"),
        (b"\xff\xfe\xfa", "cannot be read"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(PipelineConfig, path)
    assert "\n" not in str(caught.value)


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^config file not found: {tmp_path}/none.yaml$"):
        load_config(PipelineConfig, tmp_path / "none.yaml")
    (tmp_path / "empty.yaml").touch()
    assert load_config(IngestWorkloadConfig, tmp_path / "empty.yaml") == IngestWorkloadConfig()


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31 - 1),
    ks=st.lists(st.integers(1, 1000), min_size=1),
    separator=st.text(min_size=1),
)
def test_what_is_dumped_is_what_is_read(seed: int, ks: list[int], separator: str) -> None:
    config = parse_config(
        PipelineConfig,
        {"seed": seed, "evaluation": {"ks": ks}, "ingest": {"items": {"category_separator": separator}}},
    )
    assert parse_config(PipelineConfig, yaml.safe_load(dump_yaml(config))) == config


def test_replicas_are_a_range() -> None:
    with pytest.raises(
        ConfigError, match="expected min_replicas of at most max_replicas, got 3 and 2"
    ) as caught:
        parse_config(ServeConfig, {"ranker": {"autoscaling": {"min_replicas": 3}}})
    assert "\n" not in str(caught.value)
