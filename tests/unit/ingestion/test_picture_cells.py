"""Picture columns of structs, mappings and lists of them; rows that carry further pictures of an item."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.shop import picture

from visrec.config import IngestConfig, parse_config
from visrec.errors import DataError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.cells import UnreadableCellError
from visrec.ingestion.files import find_inputs
from visrec.ingestion.picture_cells import picture_names
from visrec.ingestion.picture_sources import read_pictures
from visrec.ingestion.source_catalogue import SourceCatalogue

STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})
ONE: list[dict[str, Any] | None] = [
    {"bytes": picture(1), "path": "ignored.png"},
    {"bytes": None, "path": "b.png"},
    None,
]


def _catalogue(root: Path, name: str, **items: Any) -> SourceCatalogue:
    (root / "log.csv").write_text("x")
    (root / "images").mkdir(exist_ok=True)
    (root / "images" / "b.png").write_bytes(picture(2))
    values = {
        "interactions": {"path": str(root / "log.csv")},
        "images": {"path": str(root / "images")},
        "items": {
            "path": str(root / name),
            **items,
            "columns": {"image": "image", **items.get("columns", {})},
        },
    }
    config = parse_config(IngestConfig, values)
    inputs = find_inputs(config)
    return read_catalogue(config, inputs.items, inputs.pictures)


def _bytes(catalogue: SourceCatalogue) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {item: [] for item in catalogue.item_ids.to_pylist()}
    for data, item in zip(read_pictures(catalogue.sources, max_bytes=10**6), catalogue.row_item, strict=True):
        found[catalogue.item_ids[int(item)].as_py()].append(data)
    return found


@pytest.mark.parametrize("kind", [STRUCT, pa.struct({"path": pa.large_string(), "bytes": pa.large_binary()})])
def test_structs_of_bytes_and_path(tmp_path: Path, kind: Any) -> None:
    pq.write_table(
        pa.table({"item_id": ["i", "j", "k"], "image": pa.array(ONE, kind)}), tmp_path / "items.parquet"
    )
    found = _bytes(_catalogue(tmp_path, "items.parquet"))
    assert found == {"i": [picture(1)], "j": [picture(2)], "k": []}


@pytest.mark.parametrize("make", [pa.list_, pa.large_list])
def test_lists_of_structs(tmp_path: Path, make: Any) -> None:
    rows = [[ONE[0], ONE[1]], [], [None, ONE[1]]]
    table = pa.table({"item_id": ["i", "j", "k"], "image": pa.array(rows, make(STRUCT))})
    pq.write_table(table, tmp_path / "items.parquet", row_group_size=2)
    found = _bytes(_catalogue(tmp_path, "items.parquet"))
    assert found == {"i": [picture(1), picture(2)], "j": [], "k": [picture(2)]}


def test_mappings_of_addresses_in_json_and_csv(tmp_path: Path) -> None:
    cell = [{"thumb": "a.png", "large": "b.png", "variant": "MAIN"}]
    (tmp_path / "items.jsonl").write_text(json.dumps({"item_id": "i", "image": cell}) + "\n")
    assert _bytes(_catalogue(tmp_path, "items.jsonl")) == {"i": [picture(2)]}
    (tmp_path / "items.csv").write_text("""item_id;image\ni;[{'thumb': None, 'large': 'b.png'}]\n""")
    assert _bytes(_catalogue(tmp_path, "items.csv")) == {"i": [picture(2)]}


def test_a_mapping_without_a_picture_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text(json.dumps({"item_id": "i", "image": {"id": 3, "alt": "A"}}) + "\n")
    with pytest.raises(DataError) as caught:
        _catalogue(tmp_path, "items.jsonl")
    assert str(caught.value).startswith(
        "ingest.items.columns.image: expected paths, URIs or bytes of pictures"
    )
    assert str(caught.value).endswith("items.jsonl, got a mapping with the keys id, alt")


def test_names_in_cells() -> None:
    assert picture_names(None) == picture_names("") == picture_names([None]) == []
    assert picture_names('["a", "b"]') == picture_names([["a"], "b"]) == ["a", "b"]
    assert picture_names({"url": "u", "large": "l"}) == ["u"]
    assert picture_names({"hi_res": None, "large": "l"}) == ["l"]
    assert picture_names("[odd name].jpg") == ["[odd name].jpg"]
    with pytest.raises(UnreadableCellError, match="a mapping with the keys id"):
        picture_names({"id": 7})


def test_rows_that_only_carry_further_pictures_add_them(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(
        "item_id,title,image\n"
        "i,Chair,a.png\n"
        "i,,b.png\n"  # as shops export further pictures
        "i,,a.png\n"  # nothing new
        "i,Table,c.png\n"  # another title: a second item of the id
        "j,Lamp,d.png\n"
        ",,e.png\n"
    )
    catalogue = _catalogue(tmp_path, "items.csv", columns={"title": "title"})
    paths = [str(source).rsplit("/", 1)[-1] for source in catalogue.sources]
    assert paths == ["a.png", "b.png", "d.png"]
    assert catalogue.row_item.tolist() == [0, 0, 1]
    lines = [(reject.location.rsplit(":", 1)[-1], reject.reason.value) for reject in catalogue.rejects]
    assert sorted(lines) == [("4", "duplicate_item"), ("5", "duplicate_item"), ("7", "missing_item")]
    assert catalogue.notes[0].startswith(
        "1 rows of the catalogue have a picture but no item id and are left out"
    )
