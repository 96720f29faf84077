"""Ingest of small files of the schemas of public data sets, by the config that `visrec init` writes."""

from pathlib import Path

import pytest
from tests.support.datasets.registry import DATASETS
from tests.support.datasets.world import NUM_USERS

from visrec.workloads.ingest import ingest
from visrec.workloads.init import init

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("local_cluster"),
]


@pytest.mark.parametrize("name", DATASETS)
def test_the_written_config_ingests_every_row(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = DATASETS[name]
    dataset.write(tmp_path / "data")
    assert init("data").runs
    snapshot = ingest("shop.yaml")
    counts = snapshot.artifact.manifest.counts
    assert counts["num_rows_read"] == dataset.num_events
    assert counts["num_interactions"] == dataset.num_events - dataset.num_merged
    assert counts["num_rejected_rows"] == 0
    assert counts["num_users"] == NUM_USERS
    assert counts["num_items"] == counts["num_images"] == dataset.num_items
    assert counts["num_unreadable_item_values"] == dataset.num_unreadable
