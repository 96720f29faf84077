"""Catalogues with one row a property of an item."""

from pathlib import Path
from typing import Any

import pytest

from visrec.config import IngestConfig, parse_config
from visrec.errors import DataError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.files import find_inputs
from visrec.ingestion.source_catalogue import SourceCatalogue

HEADER = "timestamp,itemid,property,value\n"
PARTS = (
    HEADER + "2000000000000,7,categoryid,B\n1000000000000,7,categoryid,A\n1000000000000,7,790,n1\n",
    HEADER
    + "1500000000000,7,available,0\n1500000000000,8,888,x\n1600000000000,9,available,1\n"
    + ",,available,1\nsoon,9,available,0\n",
)
PROPERTIES = {"property": "property", "value": "value", "time": "timestamp"}


def _catalogue(root: Path, columns: dict[str, str], properties: dict[str, Any] | None) -> SourceCatalogue:
    (root / "log.csv").write_text("x")
    (root / "images").mkdir(exist_ok=True)
    (root / "images" / "7.jpg").write_bytes(b"")
    for number, part in enumerate(PARTS):
        (root / f"part{number}.csv").write_text(part)
    items = {
        "path": str(root / "part*.csv"),
        "columns": {"item_id": "itemid", **columns},
        "properties": properties,
    }
    values = {
        "interactions": {"path": str(root / "log.csv")},
        "images": {"path": str(root / "images")},
        "items": items,
    }
    config = parse_config(IngestConfig, values)
    inputs = find_inputs(config)
    return read_catalogue(config, inputs.items, inputs.pictures)


def test_the_latest_value_of_a_property_counts_and_all_items_are_kept(tmp_path: Path) -> None:
    columns = {"categories": "categoryid", "available": "available"}
    catalogue = _catalogue(tmp_path, columns, PROPERTIES)
    rows = catalogue.items.select(["item_id", "categories", "available"]).to_pylist()
    assert rows == [
        {"item_id": "7", "categories": ["B"], "available": False},
        {"item_id": "8", "categories": [], "available": True},
        {"item_id": "9", "categories": [], "available": True},
    ]
    assert [
        (r.location.rsplit("/", 1)[-1], r.reason.value) for r in catalogue.rejects if r.source == "items"
    ] == [("part1.csv:6", "bad_time"), ("part1.csv:5", "missing_item")]


def test_without_times_the_last_row_counts(tmp_path: Path) -> None:
    catalogue = _catalogue(tmp_path, {"categories": "categoryid"}, {"property": "property", "value": "value"})
    assert catalogue.items.column("categories").to_pylist() == [["A"], [], []]


def test_a_property_that_no_row_has(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _catalogue(tmp_path, {"categories": "category"}, PROPERTIES)
    assert str(caught.value) == (
        "ingest.items.columns.categories: expected a property in the column 'property' (790, 888, available, "
        "categoryid), got 'category'; did you mean 'categoryid'?"
    )


def test_a_column_that_is_not_there_is_told_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"^ingest\.items\.properties\.value: expected a column of part0\.csv"
    ):
        _catalogue(tmp_path, {}, {"property": "property", "value": "val"})


def test_long_form_read_as_a_table_says_so(tmp_path: Path) -> None:
    catalogue = _catalogue(tmp_path, {}, None)
    assert catalogue.notes[0].startswith(
        "4 of 7 rows of the catalogue repeat an item and are left out, such as"
    )
    assert catalogue.notes[0].endswith(
        "if each row holds one property of an item, set ingest.items.properties"
    )
