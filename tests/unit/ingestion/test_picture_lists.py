"""Items with several pictures: as a list, as text with a separator, as bytes, as a folder of their own."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from visrec.config import IngestConfig, parse_config
from visrec.errors import PictureError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.files import Inputs, find_inputs
from visrec.ingestion.picture_sources import read_pictures
from visrec.ingestion.source_catalogue import SourceCatalogue


def _inputs(root: Path, items: dict[str, Any] | None, **images: Any) -> tuple[IngestConfig, Inputs]:
    if not (root / "log.csv").exists():
        (root / "log.csv").write_text("x")
    (root / "images").mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "interactions": {"path": str(root / "log.csv")},
        "images": {"path": str(root / "images"), **images},
    }
    if items is not None:
        values["items"] = {"columns": {"image": "image"}, **items, "path": str(root / items["path"])}
    config = parse_config(IngestConfig, values)
    return config, find_inputs(config)


def _catalogue(root: Path, items: dict[str, Any] | None = None, **images: Any) -> SourceCatalogue:
    config, inputs = _inputs(root, items, **images)
    return read_catalogue(config, inputs.items, inputs.pictures)


def _pictures(catalogue: SourceCatalogue, root: Path) -> dict[str, list[str]]:
    """Pictures of each item by name."""
    found: dict[str, list[str]] = {item: [] for item in catalogue.item_ids.to_pylist()}
    for source, item in zip(catalogue.sources, catalogue.row_item, strict=True):
        found[catalogue.item_ids[int(item)].as_py()].append(str(source).removeprefix(f"{root}/images/"))
    return found


LISTS: list[list[str | None]] = [["a.jpg", "b.jpg"], ["c.jpg"], [], ["d.jpg", None, "x/e.jpg"]]
EXPECTED = {"i": ["a.jpg", "b.jpg"], "j": ["c.jpg"], "k": [], "l": ["d.jpg", "x/e.jpg"]}


@pytest.mark.parametrize("form", ["parquet", "large", "jsonl", "csv", "json in csv"])
def test_a_list_and_text_with_a_separator_name_several(tmp_path: Path, form: str) -> None:
    ids = ["i", "j", "k", "l"]
    texts = ["|".join(path or "" for path in row) for row in LISTS]
    settings: dict[str, Any] = {"path": "items.csv"}
    if form in ("parquet", "large"):
        kind = pa.list_(pa.string()) if form == "parquet" else pa.large_list(pa.large_string())
        table = pa.table({"item_id": ids, "image": pa.array(LISTS, kind)})
        settings["path"] = "items.parquet"
        pq.write_table(table, tmp_path / "items.parquet")
    elif form == "jsonl":
        rows = [json.dumps({"item_id": i, "image": row}) for i, row in zip(ids, LISTS, strict=True)]
        settings["path"] = "items.jsonl"
        (tmp_path / "items.jsonl").write_text("\n".join(rows))
    else:
        quoted = [json.dumps(row).replace('"', '""') for row in LISTS]
        cells = texts if form == "csv" else [f'"{cell}"' for cell in quoted]
        settings["image_separator"] = "|" if form == "csv" else None
        lines = [f"{i},{cell}" for i, cell in zip(ids, cells, strict=True)]
        (tmp_path / "items.csv").write_text("\n".join(["item_id,image", *lines]))
    catalogue = _catalogue(tmp_path, settings)
    assert _pictures(catalogue, tmp_path) == EXPECTED
    assert [(r.location, r.reason.value) for r in catalogue.rejects] == [("k", "no_image")]


def test_without_a_separator_text_is_one_path(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,image\ni,a|b.jpg\nj,[c].jpg\n")
    catalogue = _catalogue(tmp_path, {"path": "items.csv"})
    assert _pictures(catalogue, tmp_path) == {"i": ["a|b.jpg"], "j": ["[c].jpg"]}


@pytest.mark.parametrize("size", [None, 2])
def test_lists_of_bytes_are_counted_and_read_where_they_are(tmp_path: Path, size: int | None) -> None:
    lists = [[b"1", b"2"], [None, b"3"], [b"4", b""]]
    lists = lists if size else [*lists, [], None]
    kind = pa.list_(pa.binary()) if size is None else pa.list_(pa.binary(), size)
    rows = lists * 20  # more than are looked at in one go
    table = pa.table({"item_id": [str(k) for k in range(len(rows))], "image": pa.array(rows, kind)})
    pq.write_table(table, tmp_path / "items.parquet", row_group_size=45)
    catalogue = _catalogue(tmp_path, {"path": "items.parquet"})
    counts = [len(pictures) for pictures in _pictures(catalogue, tmp_path).values()]
    assert counts == ([2, 1, 2] if size else [2, 1, 2, 0, 0]) * 20
    read = list(read_pictures(catalogue.sources, max_bytes=10))
    assert [r for r in read if isinstance(r, bytes)] == [b"1", b"2", b"3", b"4"] * 20
    assert [r.code for r in read if isinstance(r, PictureError)] == ["no_image"] * 20


def test_an_item_has_a_file_and_a_folder(tmp_path: Path) -> None:
    for name in (
        "7.jpg",
        "7/10.png",
        "7/9.jpg",
        "7/notes.txt",
        "7/.x.jpg",
        "7/deep/1.jpg",
        "8/b.jpg",
        "8/a.gif",
    ):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_text("x")
    for name in (".hidden/1.jpg", "empty/notes.txt", "9.webp"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_text("x")
    expected = {
        "7": ["7.jpg", "7/9.jpg", "7/10.png", "7/deep/1.jpg"],
        "8": ["8/a.gif", "8/b.jpg"],
        "9": ["9.webp"],
    }
    catalogue = _catalogue(tmp_path)
    assert _pictures(catalogue, tmp_path) == expected
    assert catalogue.rejects == []
    (tmp_path / "items.csv").write_text("item_id\n9\n8\n6\n")
    by_name = _catalogue(tmp_path, {"path": "items.csv", "columns": {}})
    assert _pictures(by_name, tmp_path) == {"6": [], "8": expected["8"], "9": expected["9"]}


def test_a_change_in_a_folder_of_an_item_makes_another_snapshot(tmp_path: Path) -> None:
    (tmp_path / "images" / "7").mkdir(parents=True)
    (tmp_path / "images" / "7" / "a.jpg").write_text("x")
    before = _inputs(tmp_path, None)[1].fingerprint
    assert _inputs(tmp_path, None)[1].fingerprint == before
    (tmp_path / "images" / "7" / "b.jpg").write_text("x")
    assert _inputs(tmp_path, None)[1].fingerprint != before


def test_pictures_beyond_the_limit_are_counted_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,image\ni,a b c d\nj,e\nk,f g h\n")
    catalogue = _catalogue(tmp_path, {"path": "items.csv", "image_separator": " "}, max_per_item=2)
    assert _pictures(catalogue, tmp_path) == {"i": ["a", "b"], "j": ["e"], "k": ["f", "g"]}
    assert catalogue.num_left_out == 3
