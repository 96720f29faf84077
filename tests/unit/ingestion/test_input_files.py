from pathlib import Path

import pytest

from visrec.errors import DataError
from visrec.ingestion.files import fingerprint, list_files, list_folder
from visrec.storage import Location


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.jsonl", "day=1/x.parquet", "day=2/y.csv.gz", "note.txt", ".c.csv", "_tmp/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def _names(uri: Path | str, root: Path, **options: str) -> list[str]:
    found = list_files(str(uri), options.get("file_format", "auto"), setting="s")  # type: ignore[arg-type]
    return [f.location.path[len(str(root)) + 1 :] for f in found]


def test_a_folder_gives_what_it_knows_in_order(root: Path) -> None:
    assert _names(root, root) == ["a.jsonl", "b.csv", "day=1/x.parquet", "day=2/y.csv.gz"]
    files = list_files(str(root), "auto", setting="s")
    assert [f.format for f in files] == ["jsonl", "csv", "parquet", "csv"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["b.csv"]),
        ("day=?/*", ["day=1/x.parquet", "day=2/y.csv.gz"]),
        ("**/*.csv*", ["b.csv", "day=2/y.csv.gz"]),
    ],
)
def test_globs(root: Path, pattern: str, expected: list[str]) -> None:
    assert _names(f"{root}/{pattern}", root) == expected


def test_a_file_that_is_named_is_taken_whatever_its_name(root: Path) -> None:
    assert _names(root / ".c.csv", root) == [".c.csv"]
    assert _names(root / "note.txt", root, file_format="csv") == ["note.txt"]


@pytest.mark.parametrize("path", ["nowhere", "nowhere/*.csv", "*.xml"])
def test_nothing_there(root: Path, path: str) -> None:
    with pytest.raises(
        DataError, match=r"^ingest\.x: expected a file, a folder or a glob .* found nothing at"
    ):
        list_files(f"{root}/{path}", "auto", setting="ingest.x")


def test_nothing_of_a_known_format(root: Path) -> None:
    with pytest.raises(DataError, match=r"ingest\.x: expected files that end in \.csv"):
        list_files(f"{root}/note.txt", "auto", setting="ingest.x")


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ingest\.images\.path: expected a folder, found none"):
        list_folder(Location.parse(tmp_path / "nowhere"), setting="ingest.images.path")


def test_fingerprint_sees_every_change() -> None:
    base = [("a", 1, 5), ("b", 2, 6)]
    assert fingerprint(base) == fingerprint(list(base))
    changed = [
        [("a", 1, 5)],
        [("a", 1, 5), ("b", 2, 7)],
        [("a", 1, 5), ("b", 3, 6)],
        [("a", 1, 5), ("c", 2, 6)],
    ]
    assert len({fingerprint(f) for f in [base, *changed]}) == 5
