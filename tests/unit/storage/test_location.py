import os
from pathlib import Path

import pytest
from pyarrow import fs as pafs

from visrec.errors import DataError
from visrec.storage import Location


def test_a_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert Location.parse("a/../b").path == str(tmp_path / "b")
    assert Location.parse("~/b").path == "/home/someone/b"
    assert Location.parse(tmp_path).is_local
    assert str(Location.parse(tmp_path / "b")) == str(tmp_path / "b")


def test_a_uri_names_its_filesystem(tmp_path: Path) -> None:
    place = Location.parse(f"file://{tmp_path}/a")
    assert (place.path, place.is_local) == (f"{tmp_path}/a", True)


def test_an_unknown_scheme_is_one_line() -> None:
    with pytest.raises(
        DataError, match="expected a path or a URI of a known filesystem, got 'nowhere://a'"
    ) as caught:
        Location.parse("nowhere://a")
    assert "\n" not in str(caught.value)


def test_parts_of_a_path() -> None:
    place = Location.parse("/a") / "b" / "c.txt"
    assert (place.path, place.name, place.parent.path) == ("/a/b/c.txt", "c.txt", "/a/b")


def test_files_and_children_are_sorted_and_a_missing_folder_is_empty(tmp_path: Path) -> None:
    root = Location.parse(tmp_path)
    for name in ("z.txt", "b/y.txt", "b/a.txt", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [f.path.removeprefix(f"{tmp_path}/") for f in root.files()] == [
        "a.txt",
        "b/a.txt",
        "b/y.txt",
        "z.txt",
    ]
    assert [c.name for c in root.children()] == ["a.txt", "b", "z.txt"]
    assert (root / "none").files() == (root / "none").children() == []


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Location.parse(tmp_path) / "a.txt"
    place.write_text("old")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="no space left"):
            place.write_text("new")
    assert place.read_text() == "old"
    assert [c.name for c in Location.parse(tmp_path).children()] == ["a.txt"]
    place.write_text("new ä")
    assert place.read_text() == "new ä"


def test_delete_takes_files_folders_and_nothing(tmp_path: Path) -> None:
    root = Location.parse(tmp_path)
    (root / "a" / "b").make_dirs()
    (root / "a" / "b" / "c.txt").write_text("c")
    (root / "a").delete()
    (root / "a").delete()
    assert not (root / "a").exists()


def test_a_remote_file_is_copied_once_to_be_mapped(tmp_path: Path) -> None:
    remote = Location(
        filesystem=pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), path="far.bin"
    )
    remote.write_bytes(b"abc")
    copy = remote.local_path(tmp_path / "cache")
    assert copy == tmp_path / "cache" / "far.bin"
    remote.write_bytes(b"def")
    assert remote.local_path(tmp_path / "cache").read_bytes() == b"abc"  # an artifact never changes
