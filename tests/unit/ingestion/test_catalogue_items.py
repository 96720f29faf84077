from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from visrec.config import IngestConfig, parse_config
from visrec.data.images import PictureRows
from visrec.errors import DataError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.files import find_inputs
from visrec.ingestion.source_catalogue import SourceCatalogue


def _catalogue(
    root: Path, items: dict[str, Any] | None = None, images: str | None = "images"
) -> SourceCatalogue:
    (root / "log.csv").write_text("x")
    values: dict[str, Any] = {"interactions": {"path": str(root / "log.csv")}}
    values["images"] = {"path": str(root / images) if images else None}
    if items is not None:
        values["items"] = {**items, "path": str(root / items["path"])}
    config = parse_config(IngestConfig, values)
    inputs = find_inputs(config)
    return read_catalogue(config, inputs.items, inputs.pictures)


def _main_rows(catalogue: SourceCatalogue) -> list[int]:
    rows = PictureRows.of_rows(catalogue.row_item, num_items=len(catalogue)).main_I
    return [int(row) for row in rows]


def _pictures(catalogue: SourceCatalogue) -> dict[str, str | None]:
    return {
        item: None if row < 0 else str(catalogue.sources[row]).rsplit("/", 1)[-1]
        for item, row in zip(catalogue.item_ids.to_pylist(), _main_rows(catalogue), strict=True)
    }


def _reasons(catalogue: SourceCatalogue) -> list[tuple[str, str]]:
    return sorted((r.reason.value, r.location.rsplit("/", 1)[-1]) for r in catalogue.rejects)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("10.jpg", "9.PNG", "9.gif", "2.webp", "notes.txt", ".1.jpg"):
        (tmp_path / "images" / name).write_text("x")
    return tmp_path


def test_a_folder_of_pictures_is_a_catalogue(root: Path) -> None:
    catalogue = _catalogue(root)
    assert _pictures(catalogue) == {"2": "2.webp", "9": "9.PNG", "10": "10.jpg"}
    assert list(_pictures(catalogue)) == ["2", "9", "10"]  # by value
    assert _reasons(catalogue) == [("duplicate_item", "9.gif")]


def test_rows_of_a_file_find_their_pictures_by_name(root: Path) -> None:
    (root / "items.csv").write_bytes(
        b'item_id,title\n10,"a title\nof two lines"\n2,b\n,c\n10,again\n\xff,e\n7,f\nonly one field\n'
    )
    catalogue = _catalogue(root, {"path": "items.csv", "columns": {"title": "title"}})
    assert _pictures(catalogue) == {"2": "2.webp", "7": None, "10": "10.jpg"}
    assert catalogue.items.column("title").to_pylist() == ["b", "f", "a title\nof two lines"]
    assert [reason for reason, _ in _reasons(catalogue)] == [
        "duplicate_item",
        "malformed_row",
        "missing_item",
        "no_image",
        "not_utf8",
    ]
    # picture rows are in the order of the file, whatever the order of the ids
    assert _main_rows(catalogue) == [1, -1, 0]
    assert catalogue.row_item.tolist() == [2, 0]


def test_a_catalogue_in_another_encoding(root: Path) -> None:
    (root / "items.csv").write_bytes("item_id,title\n2,Amélie\n10,Çamur\n".encode("cp1252"))
    found = {"path": "items.csv", "columns": {"title": "title"}}
    (note,) = _catalogue(root, found).notes
    assert note == (
        r"item attributes that could not be read and are left out: title 2 (e.g. 'Am\\xe9lie') "
        "(not UTF-8; where the file has another encoding, set ingest.items.encoding, such as cp1252)"
    )
    read = _catalogue(root, {**found, "encoding": "cp1252"})
    assert read.items.column("title").to_pylist() == ["Amélie", "Çamur"]
    assert read.notes == ()


def test_paths_in_a_column(root: Path) -> None:
    (root / "items.csv").write_text(f"item_id,image\na,9.PNG\nb,{root}/images/10.jpg\nc,mock:///x.png\nd,\n")
    catalogue = _catalogue(root, {"path": "items.csv", "columns": {"image": "image"}})
    assert [str(s) for s in catalogue.sources] == [
        f"{root}/images/9.PNG",
        f"{root}/images/10.jpg",
        "mock:///x.png",
    ]
    assert _main_rows(catalogue) == [0, 1, 2, -1]


def test_bytes_stay_in_their_file(root: Path) -> None:
    table = pa.table({"item_id": ["c", "a", "b"], "image": pa.array([b"1", b"2", b"3"])})
    pq.write_table(table, root / "items.parquet", row_group_size=2)
    catalogue = _catalogue(root, {"path": "items.parquet", "columns": {"image": "image"}}, images=None)
    assert catalogue.item_ids.to_pylist() == ["a", "b", "c"]
    places = [(s.row_group, s.row) for s in catalogue.sources]  # type: ignore[union-attr]
    assert places == [(0, 0), (0, 1), (1, 0)]
    assert _main_rows(catalogue) == [1, 2, 0]


def test_wrong_column_and_no_item(root: Path) -> None:
    (root / "items.csv").write_text("itemid,title\n")
    with pytest.raises(DataError, match=r"ingest\.items\.columns\.item_id: .* did you mean 'itemid'\?"):
        _catalogue(root, {"path": "items.csv"})
    with pytest.raises(DataError, match=r"expected items in .*, found none"):
        _catalogue(root, {"path": "items.csv", "columns": {"item_id": "itemid"}})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, r"ingest\.interactions\.path: expected a file"),
        ({"interactions": {"path": "log.csv"}}, r"expected pictures: a folder in ingest\.images\.path"),
        ({"interactions": {"path": "log.csv"}, "items": {"path": "i.csv"}}, r"expected pictures"),
    ],
)
def test_required_settings(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_inputs(parse_config(IngestConfig, values))


def test_the_truth_beside_the_log_is_found(root: Path) -> None:
    (root / "truth").mkdir()
    (root / "truth" / "truth.json").write_text("{}")
    (root / "log.csv").write_text("x")
    config = parse_config(
        IngestConfig,
        {"interactions": {"path": str(root / "log.csv")}, "images": {"path": str(root / "images")}},
    )
    inputs = find_inputs(config)
    assert str(inputs.truth) == str(root / "truth")
    before = inputs.fingerprint
    (root / "images" / "10.jpg").write_text("other")
    assert find_inputs(config).fingerprint != before


def test_ids_that_no_address_could_hold_are_rejected(root: Path) -> None:
    (root / "items.csv").write_text(f"item_id\n{'x' * 2049}\n{'x' * 2048}\n9\n")
    catalogue = _catalogue(root, {"path": "items.csv"})
    assert sorted(map(len, catalogue.item_ids.to_pylist())) == [1, 2048]
    assert ("item_id_too_long", "items.csv:2") in _reasons(catalogue)
