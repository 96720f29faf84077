"""The typed view of a workspace, and what a Python prompt shows of its artifacts."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.releases import SMALL_MODEL, make_report
from tests.support.snapshots import checkerboard_snapshot

import visrec
from visrec.config import WorkloadConfig
from visrec.errors import ArtifactError, ConfigError


@pytest.fixture
def workspace(tmp_path: Path) -> visrec.Workspace:
    return visrec.Workspace(str(tmp_path))


@pytest.fixture
def filled(workspace: visrec.Workspace) -> visrec.Workspace:
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    counts = np.ones(6, np.float32)
    make_report(workspace, make_checkpoint(workspace, snapshot, model=SMALL_MODEL, item_counts=counts))
    visrec.publish(workspace=str(workspace.root))
    return workspace


def test_every_kind_of_artifact_is_opened_as_its_type(filled: visrec.Workspace) -> None:
    snapshot, checkpoint, report = filled.snapshot(), filled.checkpoint(), filled.report()
    release = filled.release()
    assert checkpoint.snapshot(filled).name == snapshot.name
    assert report.facts.checkpoint == checkpoint.name
    assert release.artifact.manifest.parents["checkpoints"] == checkpoint.name
    assert filled.release(release.name).name == release.name
    for artifact in (snapshot, checkpoint, report, release):
        assert artifact.location.is_dir()


def test_artifacts_are_one_line_with_name_counts_and_place(filled: visrec.Workspace) -> None:
    root = filled.root
    name = filled.release().name
    assert repr(filled) == (f"Workspace('{root}': 1 snapshot, 1 checkpoint, 0 rankers, 1 report, 1 release)")
    assert repr(filled.snapshot()) == (
        f"Snapshot('test-snapshot': 4 users, 6 items, 6 pictures, {root}/snapshots/test-snapshot)"
    )
    assert repr(filled.checkpoint()).startswith("Checkpoint('test-checkpoint': ")
    assert repr(filled.report()) == (
        "Report('test-report': checkpoint test-checkpoint, test part of leave_one_out, 40 users, "
        f"{root}/reports/test-report)"
    )
    assert repr(filled.release()) == (
        f"Release('{name}': 6 items, 4 users, index faiss_flat, no ranker, {root}/releases/{name})"
    )
    assert repr(filled.find("reports")) == f"Artifact(reports 'test-report', {root}/reports/test-report)"


def test_the_list_has_the_newest_first_and_marks_the_latest(workspace: visrec.Workspace) -> None:
    for name in ("a", "b"):
        with workspace.create("checkpoints", name, config=WorkloadConfig()):
            pass
    workspace.point("checkpoints", "a")
    entries = workspace.list("checkpoints")
    assert {entry.name: entry.is_latest for entry in entries} == {"a": True, "b": False}
    assert [entry.created_at for entry in entries] == sorted((e.created_at for e in entries), reverse=True)
    assert workspace.list("releases") == []
    with pytest.raises(ConfigError, match=r"expected a kind of artifact \(snapshots, .*\), got .release."):
        workspace.list("release")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("snapshot", "visrec ingest"),
        ("checkpoint", "visrec train"),
        ("ranker", "visrec train-ranker"),
        ("report", "visrec evaluate"),
        ("release", "visrec publish"),
    ],
)
def test_what_is_missing_names_the_command_that_makes_it(
    workspace: visrec.Workspace, kind: str, command: str
) -> None:
    with pytest.raises(ArtifactError, match=f"no {kind}s in .* yet; make one with `{command}`"):
        getattr(workspace, kind)()
    with pytest.raises(ArtifactError, match=rf"expected one of the {kind}s in .* \(none\), got 'abc'"):
        getattr(workspace, kind)("abc")


def test_the_front_door_names_the_functions_of_the_workloads() -> None:
    from visrec.workloads.publish import publish

    assert visrec.publish is publish
    assert set(visrec.__all__) <= set(dir(visrec))
    for name in visrec.__all__:
        assert getattr(visrec, name) is not None
    with pytest.raises(AttributeError, match="module 'visrec' has no attribute 'nothing'"):
        getattr(visrec, "nothing")  # noqa: B009
