import json
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import fs as pafs

from visrec.config import WorkloadConfig
from visrec.errors import ArtifactError
from visrec.storage import Artifact, ArtifactWriter, Location

CONFIG = WorkloadConfig(seed=3)


@pytest.fixture(params=["local", "object store"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    """A folder on this machine, and one on a filesystem that is not this machine's own."""
    if request.param == "local":
        return Location.parse(tmp_path)
    return Location(
        filesystem=pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), path="store"
    ).make_dirs()


def write(final: Location, text: str = "abc") -> Artifact:
    with ArtifactWriter(final, "snapshots", config=CONFIG, parents={"logs": "l1"}) as writer:
        (writer.staging / "a.txt").write_text(text)
        (writer.staging / "deep").make_dirs()
        (writer.staging / "deep" / "b.txt").write_text("b")
        writer.counts["num_items"] = 2
        writer.facts["size"] = [8, 8]
    assert writer.result is not None
    return writer.result


def test_what_was_written_is_found_with_all_that_is_known_of_it(root: Location) -> None:
    write(root / "x")
    found = Artifact.open(root / "x")
    manifest = found.manifest
    assert found.name == "x"
    assert (manifest.kind, manifest.schema_version, manifest.parents) == ("snapshots", 1, {"logs": "l1"})
    assert (manifest.counts, manifest.facts) == ({"num_items": 2}, {"size": [8, 8]})
    assert WorkloadConfig(**manifest.config) == CONFIG
    assert manifest.files == {
        # sha256 of "abc" is the standard's own example (FIPS 180-2)
        "a.txt": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "deep/b.txt": "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
    }
    assert manifest.versions["visrec"]
    found.verify()


def test_nothing_is_visible_before_the_end(root: Location) -> None:
    with ArtifactWriter(root / "x", "snapshots", config=CONFIG, parents={}) as writer:
        (writer.staging / "a.txt").write_text("abc")
        with pytest.raises(ArtifactError, match="expected a finished artifact"):
            Artifact.open(root / "x")
    Artifact.open(root / "x")


def test_an_error_leaves_nothing(root: Location) -> None:
    def fail() -> None:
        with ArtifactWriter(root / "x", "snapshots", config=CONFIG, parents={}) as writer:
            (writer.staging / "a.txt").write_text("abc")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert root.children() == []


CRASH = """
import os, sys
from visrec.config import WorkloadConfig
from visrec.storage import ArtifactStore
with ArtifactStore(sys.argv[1]).create("snapshots", "x", config=WorkloadConfig()) as writer:
    (writer.staging / "a.txt").write_text("abc")
    os._exit(9)
"""


def test_a_killed_process_leaves_nothing_that_looks_finished_and_nothing_in_the_way(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == 9
    final = Location.parse(tmp_path / "snapshots" / "x")
    assert not final.exists()
    write(final).verify()


def test_of_two_writers_at_once_the_first_stays(tmp_path: Path) -> None:
    final = Location.parse(tmp_path) / "x"
    with ArtifactWriter(final, "snapshots", config=CONFIG, parents={}) as late:
        (late.staging / "a.txt").write_text("late")
        write(final, "early")
    assert late.result is not None
    assert (late.result.location / "a.txt").read_text() == "early"
    assert [c.name for c in Location.parse(tmp_path).children()] == ["x"]


def test_verify_finds_a_flipped_bit(root: Location) -> None:
    artifact = write(root / "x")
    place = artifact.location / "deep" / "b.txt"
    place.write_bytes(bytes([place.read_bytes()[0] ^ 1]))
    with pytest.raises(ArtifactError, match=r"is damaged: deep/b\.txt does not match its checksum"):
        artifact.verify()


def test_verify_finds_a_missing_file(root: Location) -> None:
    artifact = write(root / "x")
    (artifact.location / "a.txt").delete()
    with pytest.raises(ArtifactError, match=r"is damaged: a\.txt is missing"):
        artifact.verify()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: json.dumps({**json.loads(text), "schema_version": 99}), "has schema version 99"),
        (lambda text: json.dumps({**json.loads(text), "extra": 1}), "is damaged"),
    ],
    ids=["cut off", "of the future", "foreign"],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, change: object, message: str) -> None:
    artifact = write(Location.parse(tmp_path) / "x")
    place = artifact.location / "manifest.json"
    assert callable(change)
    place.write_text(change(place.read_text()))
    with pytest.raises(ArtifactError, match=message):
        Artifact.open(artifact.location)


def test_local_path_is_the_file_itself_or_a_copy(
    root: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "cache"))
    artifact = write(root / "x")
    path = artifact.local_path("deep/b.txt")
    assert path.read_text() == "b"
    assert (path == Path(f"{artifact.location.path}/deep/b.txt")) == root.is_local
    assert artifact.local_path("deep/b.txt") == path
