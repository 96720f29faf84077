from pathlib import Path
from typing import Any

import pytest
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import ObjectiveConfig, TrainWorkloadConfig, parse_config
from visrec.errors import VisrecError
from visrec.storage import ArtifactStore
from visrec.training.initial import initial_model
from visrec.tune.objectives import measure_costs


def job_of(root: Path, item: dict[str, Any]) -> TrainWorkloadConfig:
    return parse_config(
        TrainWorkloadConfig,
        {"workspace": str(root), "model": {"dim": 8, "item": item}, "training": {"phases": [{}]}},
    )


def test_only_what_is_asked_for_is_measured(tmp_path: Path) -> None:
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=4, num_items=6)
    job = job_of(tmp_path, {"width": 4})
    assert measure_costs(job, snapshot, [ObjectiveConfig(), ObjectiveConfig(metric="epoch_seconds")]) == {}
    wanted = [ObjectiveConfig(metric=m) for m in ("encode_ms", "query_ms", "num_parameters")]
    found = measure_costs(job, snapshot, wanted)
    model, _ = initial_model(job, snapshot)
    assert found["num_parameters"] == sum(p.numel() for p in model.parameters())
    assert list(found) == ["encode_ms", "query_ms", "num_parameters"]
    assert all(value > 0 for value in found.values())


def test_a_model_on_ids_alone_has_no_cost_of_a_picture(tmp_path: Path) -> None:
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=4, num_items=6)
    job = job_of(tmp_path, {"backbone": None, "id_embedding": True})
    assert measure_costs(job, snapshot, [ObjectiveConfig(metric="query_ms")])["query_ms"] > 0
    with pytest.raises(VisrecError, match="knows items by id only"):
        measure_costs(job, snapshot, [ObjectiveConfig(metric="encode_ms")])
