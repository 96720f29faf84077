"""The exact line for each way in which a config can be wrong."""

from typing import Any

import pytest

from visrec.config import PipelineConfig, parse_config
from visrec.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"sed": 1},
            "sed: unknown key; did you mean 'seed'?; the others are checkpoint, demo_data, evaluation, ingest, model, "
            "ray, release, report, serve, snapshot, training, workspace",
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
        ({"seed": "many"}, "seed: expected integer, got 'many'"),
        ({"seed": -1}, "seed: expected greater than or equal to 0, got -1"),
        ({"training": {"phases": [{"epochs": 1.5}]}}, "training.phases.0.epochs: expected integer, got 1.5"),
        (
            {"model": {"user": {"kind": "gruu"}}},
            "model.user.kind: expected 'gru' or 'transformer', got 'gruu'; did you mean 'gru'?; "
            "the others are transformer",
        ),
        (
            {"ingest": {"images": None}},
            "ingest.images: expected dictionary or instance of ImagesInput, got None",
        ),
    ],
)
def test_line(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(PipelineConfig, values)
    assert str(caught.value) == line
