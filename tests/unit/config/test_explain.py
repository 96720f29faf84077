"""The exact line for each way in which a config can be wrong."""

from typing import Any

import pytest

from visrec.config import PipelineConfig, TrainWorkloadConfig, load_config, parse_config
from visrec.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"sed": 1},
            "sed: unknown key; did you mean 'seed'?",  # more sections than a line holds
        ),
        (
            {"ray": {"adress": "auto"}},
            "ray.adress: unknown key; did you mean 'address'?; the others are num_cpus",
        ),
        ({"ray": {"x": 1}}, "ray.x: unknown key; expected one of address, num_cpus"),
        (
            {"training": {"scaling": {"workers": 2}}},
            "training.scaling.workers: unknown key; did you mean 'num_workers'?; "
            "the others are max_failures, resources_per_worker, use_gpu",
        ),
        (
            {"ingest": {"interactions": {"pth": "log.csv"}}},
            "ingest.interactions.pth: unknown key; did you mean 'path'?; "
            "the others are column_names, columns, default_kind, delimiter, encoding, format, item_id_width, "
            "kind_names, quoting, time_format, time_origin, time_unit",
        ),
        (
            {"ingest": {"interactions": {"path": 3, "format": "auto", "time_unit": 4}}},
            "ingest.interactions.path: expected string, got 3 (and 1 more problem)",
        ),
        (
            {"ingest": {"interactions": [{"path": "a"}, {"columns": {"usr_id": "u"}}]}},
            "ingest.interactions.1.columns.usr_id: unknown key; did you mean 'user_id'?; "
            "the others are event_id, item_id, kind, position, session_id, time",
        ),
        (
            {"ingest": {"interactions": [{"path": "a"}, {"default_kind": "buy"}]}},
            "ingest.interactions.1.default_kind: expected 'view', 'click', 'like', 'share', 'comment', 'cart', "
            "'purchase', 'skip', 'dislike' or 'hide', got 'buy'",
        ),
        (
            {"ingest": {"interactions": [{"path": "a"}, "b"]}},
            "ingest.interactions.1: expected a mapping of settings, got 'b'",
        ),
        (
            {"ingest": {"interactions": []}},
            "ingest.interactions: expected a log such as {path: log.csv}, or a list of logs, got []",
        ),
        (
            {"ingest": {"interactions": "log.csv"}},
            "ingest.interactions: expected a log such as {path: log.csv}, or a list of logs, got 'log.csv'",
        ),
        ({"seed": "many"}, "seed: expected integer, got 'many'"),
        ({"seed": -1}, "seed: expected greater than or equal to 0, got -1"),
        ({"training": {"phases": [{"epochs": 1.5}]}}, "training.phases.0.epochs: expected integer, got 1.5"),
        (
            {"model": {"user": {"kind": "gruu"}}},
            "model.user.kind: expected 'gru', 'transformer' or 'pooling', got 'gruu'; did you mean 'gru'?; "
            "the others are transformer, pooling",
        ),
        (
            {"ingest": {"images": None}},
            "ingest.images: expected a mapping of settings, got None",
        ),
    ],
)
def test_line(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(PipelineConfig, values)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("trainable=xx", "training.phases.0.trainable: expected 'all' or 'head', got 'xx'"),
        ("trainable={topp: 2}", "training.phases.0.trainable.topp: unknown key; did you mean 'top'?"),
        (
            "trainable={lora: {rang: 2}}",
            "training.phases.0.trainable.lora.rang: unknown key; did you mean 'rank'?",
        ),
        (
            "adversary={kind: pix}",
            "training.phases.0.adversary.kind: expected 'embedding', 'pixels', 'consistency', got 'pix'",
        ),
        (
            "adversary={kind: pixels, epsilan: 3}",
            "training.phases.0.adversary.epsilan: unknown key; did you mean 'eps",
        ),
    ],
)
def test_where_a_field_takes_several_shapes_the_nearest_is_explained(override: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(TrainWorkloadConfig, overrides=[f"training.phases.0.{override}"])
    assert str(caught.value).startswith(line)
