from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from visrec.ingestion.chunks import check_columns, split_into_chunks
from visrec.ingestion.files import list_files
from visrec.ingestion.formats import read_rows
from visrec.ingestion.partitions import folder_columns

COLUMNS = {"user_id": "u", "item_id": "i", "kind": "kind"}


def _read(folder: Path, columns: dict[str, str] = COLUMNS) -> list[tuple[str | None, ...]]:
    chunks = split_into_chunks(list_files(str(folder), "auto", setting="s"))
    check_columns(chunks, columns, setting="s.columns")
    raws = [raw for chunk in chunks for raw in read_rows(chunk, columns)]
    assert all(role not in raw.absent for raw in raws for role in columns)
    found = [[raw.columns[role].cast(pa.string()).to_pylist() for role in columns] for raw in raws]
    return [row for columns_of_raw in found for row in zip(*columns_of_raw, strict=True)]


@pytest.mark.parametrize("name", ["part.csv", "part.jsonl", "part.parquet"])
def test_folders_are_columns_of_every_format(tmp_path: Path, name: str) -> None:
    for folder in ("kind=add%20to%20cart/_month=1", "kind=__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / folder).mkdir(parents=True)
        path = tmp_path / folder / name
        if name.endswith("csv"):
            path.write_text("u,i\n1,a\n2,b\n")
        elif name.endswith("jsonl"):
            path.write_text('{"u": "1", "i": "a"}\n{"u": "2", "i": "b"}\n')
        else:
            pq.write_table(pa.table({"u": ["1", "2"], "i": ["a", "b"]}), path)
    missing = [("1", "a", None), ("2", "b", None)]
    assert _read(tmp_path) == [*missing, ("1", "a", "add to cart"), ("2", "b", "add to cart")]


def test_a_column_of_the_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / "kind=view").mkdir()
    (tmp_path / "kind=view" / "a.csv").write_text("u,i,kind\n1,a,click\n")
    (tmp_path / "kind=view" / "b.jsonl").write_text(
        '{"u": 2, "i": "b", "kind": "cart"}\n{"u": 3, "i": "c"}\n'
    )
    assert _read(tmp_path) == [("1", "a", "click"), ("2", "b", "cart"), ("3", "c", "view")]


def test_of_two_folders_of_one_name_the_nearer_counts() -> None:
    assert folder_columns("a/k=1/b=/k=2/x.csv") == (("k", "2"), ("b", None))
    assert folder_columns("=1/x/k.csv") == ()
