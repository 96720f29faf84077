"""The demo shop as a workload: on Ray the same bytes as without, found again, never mixed up with another."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from visrec.config import DemoDataConfig, DemoDataWorkloadConfig, IngestWorkloadConfig, load_config
from visrec.demo.write import write_shop
from visrec.errors import DataError
from visrec.storage import Artifact, Location
from visrec.workloads.demo_data import demo_data

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("local_cluster"),
]
TINY = DemoDataConfig(num_items=60, num_users=210, num_events=1200, image_size=32)


def _console() -> Console:
    return Console(record=True, file=StringIO())


def test_on_ray_the_shop_has_the_same_bytes_and_is_found_again(tmp_path: Path) -> None:
    job = DemoDataWorkloadConfig(workspace=str(tmp_path / "w"), seed=3, demo_data=TINY)
    made = demo_data(job, console=(said := _console()))
    assert "nothing to do" not in said.export_text()
    write_shop(Location.parse(tmp_path / "here").make_dirs(), TINY, 3)
    here = {
        path.relative_to(tmp_path / "here"): path for path in (tmp_path / "here").rglob("*") if path.is_file()
    }
    shop = Path(made.location.path)
    assert {str(name): path.read_bytes() for name, path in here.items()} == {
        str(name): (shop / name).read_bytes() for name in here
    }
    Artifact.open(made.location).verify()
    written = (shop / "manifest.json").stat().st_mtime_ns
    again = demo_data(job, console=(said := _console()))
    assert "nothing to do" in said.export_text()
    assert again.artifact.manifest == made.artifact.manifest
    assert load_config(IngestWorkloadConfig, shop / "ingest.yaml") == again.ingest_config
    assert (shop / "manifest.json").stat().st_mtime_ns == written


def test_a_shop_of_other_settings_is_not_overwritten(tmp_path: Path) -> None:
    job = DemoDataWorkloadConfig(workspace=str(tmp_path), demo_data=TINY)
    demo_data(job)
    with pytest.raises(
        DataError, match=r"made with num_items 60, not 61; seed 0, not 1; delete it, or choose"
    ):
        demo_data(job.replace(seed=1, demo_data=TINY.replace(num_items=61)))
    (tmp_path / "demo-data" / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"without manifest\.json"):
        demo_data(job)
