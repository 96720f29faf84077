import os
from pathlib import Path

import pytest

from visrec.config import Config
from visrec.errors import ArtifactError
from visrec.models.checkpoint import Checkpoint
from visrec.storage import ArtifactKind, ArtifactStore


@pytest.fixture
def workspace(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path))


def make(workspace: ArtifactStore, name: str) -> None:
    with workspace.create("checkpoints", name, config=Config()) as writer:
        (writer.staging / "a.txt").write_text(name)


def test_nothing_there_says_what_makes_it(workspace: ArtifactStore) -> None:
    with pytest.raises(ArtifactError, match=r"no checkpoints in .* yet; make one with `visrec train`"):
        Checkpoint.find(workspace)
    assert workspace.pointed("checkpoints") is None
    assert workspace.names("checkpoints") == []


def test_latest_follows_the_pointer(workspace: ArtifactStore) -> None:
    make(workspace, "one")
    make(workspace, "two")
    workspace.point("checkpoints", "two")
    assert Checkpoint.find(workspace).name == "two"
    workspace.point("checkpoints", "one")
    assert Checkpoint.find(workspace).name == "one"
    assert Checkpoint.find(workspace, "two").name == "two"
    assert workspace.names("checkpoints") == ["one", "two"]


def test_an_unknown_name_lists_those_that_there_are(workspace: ArtifactStore) -> None:
    make(workspace, "one")
    make(workspace, "two")
    with pytest.raises(
        ArtifactError, match=r"expected one of the checkpoints in .* \(one, two\), got 'three'"
    ):
        Checkpoint.find(workspace, "three")


def test_the_pointer_only_goes_to_what_is_finished(workspace: ArtifactStore) -> None:
    make(workspace, "one")
    workspace.point("checkpoints", "one")
    workspace.location("checkpoints", "half").make_dirs()
    with pytest.raises(ArtifactError, match="cannot make 'half' the current one"):
        workspace.point("checkpoints", "half")
    assert Checkpoint.find(workspace).name == "one"
    assert not workspace.has("checkpoints", "half")


def test_what_is_being_written_has_no_name_yet(workspace: ArtifactStore) -> None:
    make(workspace, "one")
    with workspace.create("checkpoints", "two", config=Config()):
        assert workspace.names("checkpoints") == ["one"]
    assert workspace.names("checkpoints") == ["one", "two"]


def test_releases_have_a_current_one(workspace: ArtifactStore, tmp_path: Path) -> None:
    with workspace.create("releases", "r1", config=Config()):
        pass
    workspace.point("releases", "r1")
    assert (tmp_path / "releases" / "current").read_text() == "r1\n"


@pytest.mark.parametrize("kind", ["snapshots", "checkpoints", "reports", "releases"])
def test_making_one_removes_what_killed_runs_left(workspace: ArtifactStore, kind: ArtifactKind) -> None:
    left = workspace.create(kind, "killed", config=Config()).staging.make_dirs()
    running = workspace.create(kind, "running", config=Config()).staging.make_dirs()
    os.utime(left.path, (0, 0))
    with workspace.create(kind, "next", config=Config()):
        assert not left.exists()
        assert running.exists()
