"""`visrec init` on small files of the schemas of public data sets."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.datasets.registry import DATASETS, Dataset

from visrec.config import IngestWorkloadConfig, load_config
from visrec.ingestion.files import find_inputs
from visrec.ingestion.stages.build import plan_snapshot
from visrec.workloads.init import init


@pytest.fixture(params=DATASETS)
def dataset(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.chdir(tmp_path)
    found = DATASETS[request.param]
    found.write(tmp_path / "data")
    return found


def _expected(dataset: Dataset) -> dict[str, Any]:
    """The whole section with defaults, paths below `data`."""
    return load_config(IngestWorkloadConfig).replace(ingest=_below_data(dataset.settings)).ingest.model_dump()


def _below_data(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: f"data/{v}" if k == "path" else _below_data(v) for k, v in value.items()}
    return [_below_data(v) for v in value] if isinstance(value, list) else value


def test_init_reads_the_schema(dataset: Dataset, tmp_path: Path) -> None:
    result = init("data")
    assert tuple(question.key for question in result.questions) == dataset.asked
    assert result.runs
    written = load_config(IngestWorkloadConfig, "shop.yaml").ingest
    assert written.model_dump() == _expected(dataset)
    preview = result.preview
    assert preview is not None
    assert preview.num_known == preview.num_valid == preview.num_rows == dataset.num_events
    assert preview.num_with_picture == preview.num_items == dataset.num_items
    assert len(preview.rows) == 5


def test_the_written_config_plans_a_snapshot(dataset: Dataset) -> None:
    init("data")
    config = load_config(IngestWorkloadConfig, "shop.yaml").ingest
    plan = plan_snapshot(config, find_inputs(config))
    assert len(plan.catalogue) == dataset.num_items
    assert len(plan.catalogue.sources) == dataset.num_items
