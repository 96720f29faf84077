import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tests.support.checkpoints import make_checkpoint
from tests.support.releases import SMALL_MODEL, make_report, report_content
from tests.support.snapshots import checkerboard_snapshot
from typer.testing import CliRunner

from visrec.config import PublishWorkloadConfig, ReleaseConfig
from visrec.errors import GateError, VisrecError
from visrec.models.checkpoint import Checkpoint
from visrec.releases import Release
from visrec.storage import ArtifactStore
from visrec.workloads.commands import app
from visrec.workloads.publish import publish


@pytest.fixture
def workspace(tmp_path: Path) -> ArtifactStore:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    counts = np.ones(6, np.float32)
    make_report(workspace, make_checkpoint(workspace, snapshot, model=SMALL_MODEL, item_counts=counts))
    return workspace


def run(workspace: ArtifactStore, **release: object) -> tuple[Release, str]:
    said = io.StringIO()
    job = PublishWorkloadConfig(workspace=str(workspace.root), release=ReleaseConfig.model_validate(release))
    return publish(job, console=Console(file=said, width=200)), said.getvalue()


def test_a_release_goes_live_and_is_found_again(workspace: ArtifactStore) -> None:
    first, said = run(workspace)
    assert f"release {first.name}: 6 items, 4 users, index faiss_flat" in said
    assert workspace.pointed("releases") == first.name
    again, said = run(workspace)
    assert again.name == first.name
    assert "nothing to do" in said


def test_a_release_that_is_not_to_go_live_does_not(workspace: ArtifactStore) -> None:
    first, _ = run(workspace)
    second, said = run(workspace, index="exact", activate=False)
    assert second.name != first.name
    assert "current" not in said
    assert workspace.pointed("releases") == first.name
    third, _ = run(workspace, index="exact")
    assert third.name == second.name == workspace.pointed("releases")


def test_a_closed_gate_says_why_and_leaves_the_live_one(workspace: ArtifactStore) -> None:
    first, _ = run(workspace)
    with pytest.raises(VisrecError, match=r"expected ndcg@10 of at least 0\.5, got 0\.3000"):
        run(workspace, min_metric={"ndcg@10": 0.5})
    assert workspace.pointed("releases") == first.name
    assert workspace.names("releases") == [first.name]


def refused_workspace(workspace: ArtifactStore) -> ArtifactStore:
    """The latest report says that the model is not above popularity."""
    make_report(workspace, Checkpoint.find(workspace), report_content(lead_low=-0.01), name="below")
    return workspace


UNMET = (
    "expected a lead over popularity in ndcg@10 whose interval lies above 0, got +0.1000 [-0.0100, +0.1500] "
    "(ndcg@10 0.3000; less popularity, the best baseline of its report, +0.1000 [-0.0100, +0.1500])"
)


def test_without_settings_a_model_that_is_not_above_popularity_is_refused(workspace: ArtifactStore) -> None:
    with pytest.raises(GateError, match=re.escape(UNMET)):
        run(refused_workspace(workspace))
    assert workspace.names("releases") == []


def test_force_publishes_it_with_one_line_that_the_release_says_too(workspace: ArtifactStore) -> None:
    release, said = run(refused_workspace(workspace), force=True)
    assert said.splitlines().count(f"warning: published by force, past the gate: {UNMET}") == 1
    assert said.count("warning:") == 1
    assert release.facts.forced == UNMET
    assert workspace.pointed("releases") == release.name
    again, said = run(workspace, force=True)
    assert again.name == release.name
    assert f"warning: published by force, past the gate: {UNMET}" in said.splitlines()


def test_a_forced_release_is_not_found_without_force(workspace: ArtifactStore) -> None:
    forced, _ = run(refused_workspace(workspace), force=True)
    with pytest.raises(GateError, match=re.escape(UNMET)):
        run(workspace)
    without_gate, said = run(workspace, beat_baseline=None)
    assert without_gate.name != forced.name
    assert without_gate.facts.forced is None
    assert "warning: not above popularity beyond the interval" in said


def test_force_changes_nothing_of_a_model_that_passes(workspace: ArtifactStore) -> None:
    first, _ = run(workspace)
    forced, said = run(workspace, force=True)
    assert forced.name == first.name
    assert forced.facts.forced is None
    assert "warning" not in said


def test_the_option_force_is_the_setting(workspace: ArtifactStore) -> None:
    command = ["publish", "--set", f"workspace={refused_workspace(workspace).root}"]
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, GateError)
    assert CliRunner().invoke(app, [*command, "--force"]).exit_code == 0
    assert Release.find(workspace).facts.forced == UNMET


def test_the_latest_report_must_be_of_the_latest_checkpoint(workspace: ArtifactStore) -> None:
    one = Checkpoint.find(workspace)
    snapshot = checkerboard_snapshot(ArtifactStore(str(workspace.root) + "-2"), num_users=4, num_items=6)
    make_checkpoint(workspace, snapshot, name="newer")
    make_report(workspace, one, report_content(), name="older")
    with pytest.raises(VisrecError, match="expected a report of checkpoint newer, got older, which measured"):
        run(workspace)
