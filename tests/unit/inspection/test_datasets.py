"""`visrec init` on small files of the schemas of public data sets."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.datasets.dataset import Dataset
from tests.support.datasets.registry import DATASETS

from visrec.config import IngestWorkloadConfig, load_config
from visrec.ingestion.files import find_inputs
from visrec.ingestion.stages.build import plan_snapshot
from visrec.workloads.init import init

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(params=DATASETS)
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    name: str = request.param
    DATASETS[name].write(tmp_path / "data" / name)
    return name


@pytest.fixture
def dataset(name: str) -> Dataset:
    return DATASETS[name]


def _expected(name: str) -> dict[str, Any]:
    """The whole section with defaults, paths below the data set's folder."""
    settings = _below(f"data/{name}", DATASETS[name].settings)
    return load_config(IngestWorkloadConfig).replace(ingest=settings).ingest.model_dump()


def _below(folder: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {k: f"{folder}/{v}" if k == "path" else _below(folder, v) for k, v in value.items()}
    return [_below(folder, v) for v in value] if isinstance(value, list) else value


def test_init_reads_the_schema(name: str, dataset: Dataset) -> None:
    result = init(f"data/{name}")
    assert tuple(question.key for question in result.questions) == dataset.asked
    assert result.runs
    written = load_config(IngestWorkloadConfig, "shop.yaml").ingest
    assert written.model_dump() == _expected(name)
    preview = result.preview
    assert preview is not None
    assert preview.num_known == preview.num_valid == preview.num_rows == dataset.num_events
    assert preview.num_with_picture == preview.num_items == dataset.num_items
    assert len(preview.rows) == 5


def test_the_written_config_plans_a_snapshot(name: str, dataset: Dataset) -> None:
    init(f"data/{name}")
    config = load_config(IngestWorkloadConfig, "shop.yaml").ingest
    plan = plan_snapshot(config, find_inputs(config))
    assert len(plan.catalogue) == dataset.num_items
    assert len(plan.catalogue.sources) == dataset.num_items


def test_the_example_agrees_with_init(name: str) -> None:
    init(f"data/{name}")
    written = load_config(IngestWorkloadConfig, "shop.yaml").ingest
    example = load_config(IngestWorkloadConfig, ROOT / "examples" / "datasets" / f"{name}.yaml").ingest
    assert example.interactions == written.interactions
    assert example.items == written.items
    assert example.images.replace(height=64, width=64) == written.images


def test_every_data_set_has_an_example_and_a_row_in_the_documentation() -> None:
    examples = {path.stem for path in (ROOT / "examples" / "datasets").glob("*.yaml")}
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert examples == set(DATASETS)
    assert [name for name in DATASETS if f"examples/datasets/{name}.yaml" not in page] == []
