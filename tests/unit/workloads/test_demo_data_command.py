"""`visrec demo-data` where the workspace holds a shop already: no Ray needed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from visrec.config import Config, DemoDataConfig
from visrec.demo.world import FORMAT_VERSION
from visrec.errors import DataError
from visrec.storage import ArtifactWriter, Location
from visrec.workloads.commands import app


class _FormerDemoData(Config):
    """The settings as version 0.2.0 stored them."""

    num_items: int = 2000
    num_users: int = 3000
    num_events: int = 100_000
    image_size: int = 128
    days: int = 90
    dirt: float = 0.03


def _store(workspace: Path, config: Config) -> None:
    with ArtifactWriter(
        Location.parse(workspace) / "demo-data", "demo-data", config=config, parents={}
    ) as writer:
        writer.counts.update(num_items=2000, num_users=3000, num_rows=10)
        counts = {"rows": 10, "kinds": {}, "dirt": {}, "broken_pictures": {}}
        writer.facts.update(seed=0, format_version=FORMAT_VERSION, counts=counts)


@pytest.mark.parametrize("stored", [DemoDataConfig(), _FormerDemoData()])
def test_a_shop_is_found_also_one_that_was_stored_with_former_key_names(
    tmp_path: Path, stored: Config
) -> None:
    _store(tmp_path, stored)
    result = CliRunner().invoke(app, ["demo-data", "--set", f"workspace={tmp_path}"])
    assert result.exit_code == 0, result.exception
    assert "nothing to do" in result.output.replace("\n", " ")


def test_other_settings_are_named(tmp_path: Path) -> None:
    _store(tmp_path, _FormerDemoData())
    arguments = ["demo-data", "--set", f"workspace={tmp_path}", "--set", "demo_data.dirty_share=0.1"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, DataError)
    assert "made with dirty_share 0.03, not 0.1" in str(result.exception)
