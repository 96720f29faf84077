"""Pictures that meet items by name: files at any depth, folders, spellings, templates, and messages where none meet."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow.fs import FileInfo, FileType

from visrec.config import IngestConfig, parse_config
from visrec.errors import ConfigError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.files import find_inputs
from visrec.ingestion.named_pictures import items_of_folder, pictures_of_ids
from visrec.ingestion.source_catalogue import SourceCatalogue

NFC, NFD = "café", unicodedata.normalize("NFD", "café")


def _catalogue(
    root: Path, paths: list[str], ids: list[str] | None = None, logged: tuple[str, ...] = (), **images: Any
) -> SourceCatalogue:
    for path in paths:
        (root / "images" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "images" / path).write_text("x")
    (root / "log.csv").write_text("x")
    values: dict[str, Any] = {
        "interactions": {"path": str(root / "log.csv")},
        "images": {"path": str(root / "images"), **images},
    }
    if ids is not None:
        (root / "items.csv").write_text("\n".join(["item_id", *ids]))
        values["items"] = {"path": str(root / "items.csv")}
    config = parse_config(IngestConfig, values)
    inputs = find_inputs(config)
    return read_catalogue(config, inputs.items, inputs.pictures, logged_ids=lambda: logged)


def _pictures(catalogue: SourceCatalogue, root: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {item: [] for item in catalogue.item_ids.to_pylist()}
    for source, item in zip(catalogue.sources, catalogue.row_item, strict=True):
        found[catalogue.item_ids[int(item)].as_py()].append(str(source).removeprefix(f"{root}/images/"))
    return found


PREFIXES = ["01/0108.jpg", "01/0109.png", "02/0208.jpg"]
BY_PREFIX = {"0108": ["01/0108.jpg"], "0109": ["01/0109.png"], "0208": ["02/0208.jpg"]}


@pytest.mark.parametrize("ids", [None, ["0108", "0109", "0208"]])
def test_folders_by_prefix_hold_the_items_they_begin(tmp_path: Path, ids: list[str] | None) -> None:
    catalogue = _catalogue(tmp_path, PREFIXES, ids)
    assert _pictures(catalogue, tmp_path) == BY_PREFIX
    assert "2 sub-folders" in catalogue.reading


@pytest.mark.parametrize(
    ("paths", "logged", "expected"),
    [
        (["i7/1.jpg", "i7/2.jpg"], (), {"i7": ["i7/1.jpg", "i7/2.jpg"]}),
        (["i7/i7-1.jpg", "i7/i7-2.jpg"], (), {"i7": ["i7/i7-1.jpg", "i7/i7-2.jpg"]}),
        (["7/71.jpg", "7/72.jpg"], ("7",), {"7": ["7/71.jpg", "7/72.jpg"]}),
        (["7/71.jpg", "7/72.jpg"], ("71", "72"), {"71": ["7/71.jpg"], "72": ["7/72.jpg"]}),
        (["shoes/a.jpg", "hats/b.jpg"], ("a", "b"), {"a": ["shoes/a.jpg"], "b": ["hats/b.jpg"]}),
        (["x/i7/1.jpg", "x/i8/1.jpg"], ("i7", "i8"), {"i7": ["x/i7/1.jpg"], "i8": ["x/i8/1.jpg"]}),
        (["3f/9a/3f9a77.jpg"], (), {"3f9a77": ["3f/9a/3f9a77.jpg"]}),
    ],
)
def test_the_log_and_then_the_names_say_what_folders_are(
    paths: list[str], logged: tuple[str, ...], expected: dict[str, list[str]]
) -> None:
    assert items_of_folder(paths, lambda: logged).of_item == expected


def test_where_both_names_are_ids_the_reading_that_meets_more_items_is_taken() -> None:
    per_item = [f"{item}/{k}.jpg" for item in range(1, 9) for k in (1, 2)]
    found = pictures_of_ids(per_item, map(str, range(1, 9)))
    assert found.of_item["3"] == ["3/1.jpg", "3/2.jpg"]
    per_category = [f"{k % 2 + 1}/{k}.jpg" for k in range(1, 9)]
    found = pictures_of_ids(per_category, map(str, range(1, 9)))
    assert found.of_item["8"] == ["1/8.jpg"]


def test_a_second_file_of_an_item_in_another_folder_is_named(tmp_path: Path) -> None:
    catalogue = _catalogue(tmp_path, ["b/7.jpg", "a/7.jpg", "c/d/7.png"], ["7"])
    assert _pictures(catalogue, tmp_path) == {"7": ["a/7.jpg"]}
    assert [(Path(r.location).parent.name, r.detail) for r in catalogue.rejects] == [
        ("b", "a/7.jpg is taken"),
        ("d", "a/7.jpg is taken"),
    ]


@pytest.mark.parametrize(
    ("item", "name"),
    [(NFC, NFD), (NFD, NFC), ("SKU-1", "sku-1"), ("Straße", "STRASSE"), ("a:b", "a%3Ab"), ("img/7", "img/7")],
)
@pytest.mark.parametrize("form", ["{}.jpg", "x/{}.JPG", "{}/1.jpg"])
def test_spellings_meet_where_one_fits(item: str, name: str, form: str) -> None:
    path = form.format(name)
    if "/" not in item or form == "{}.jpg":
        assert pictures_of_ids([path], [item, "other"]).of_item == {item: [path]}


def test_spellings_that_fit_two_meet_none() -> None:
    assert pictures_of_ids(["sku.jpg"], ["Sku", "SKU"]).of_item == {}
    assert pictures_of_ids(["Sku.jpg", "SKU.jpg"], ["sku"]).of_item == {}
    both = pictures_of_ids(["Sku.jpg", "sku.jpg"], ["sku", "Sku"])
    assert both.of_item == {"sku": ["sku.jpg"], "Sku": ["Sku.jpg"]}


def test_ids_from_file_names_are_composed_unless_the_log_has_them_otherwise() -> None:
    assert list(items_of_folder([f"{NFD}.jpg"], lambda: []).of_item) == [NFC]
    assert list(items_of_folder([f"{NFD}.jpg"], lambda: [NFD]).of_item) == [NFD]


@pytest.mark.parametrize("ids", [None, ["108", "109", "208"]])
@pytest.mark.parametrize(
    "template", ["{item_id:0>4[:2]}/{item_id:0>4}", "{item_id:0>4[0:2]}/{item_id:0>4}.jpg"]
)
def test_a_template_settles_it(tmp_path: Path, ids: list[str] | None, template: str) -> None:
    paths = ["01/0108.jpg", "01/0109.jpg", "02/0208.jpg", "other/1.jpg"]
    catalogue = _catalogue(tmp_path, paths, ids, path_template=template)
    found = _pictures(catalogue, tmp_path)
    if ids is None:
        assert found == {"0108": [paths[0]], "0109": [paths[1]], "0208": [paths[2]]}
    else:
        assert found == {"108": [paths[0]], "109": [paths[1]], "208": [paths[2]]}
    assert "path_template" in catalogue.reading


@pytest.mark.parametrize(
    "template",
    ["", "images/x.jpg", "{id}.jpg", "{item_id.__class__}", "{item_id!r}", "{item_id[x]}", "{item_id"],
)
def test_a_bad_template_is_an_error_of_the_config(template: str) -> None:
    with pytest.raises(ConfigError, match=r"path_template: expected a path with the item id, such as"):
        parse_config(IngestConfig, {"images": {"path_template": template}})


def test_a_template_beside_a_column_of_pictures_is_an_error_of_the_config() -> None:
    values = {"images": {"path_template": "{item_id}"}, "items": {"columns": {"image": "image"}}}
    with pytest.raises(ConfigError, match=r"images\.path_template or by items\.columns\.image, got both"):
        parse_config(IngestConfig, values)


def test_an_item_without_a_picture_says_what_was_looked_for_and_what_is_there(tmp_path: Path) -> None:
    catalogue = _catalogue(tmp_path, PREFIXES, ["108", "0208"])
    (reject,) = catalogue.rejects
    assert reject.reason.value == "no_image"
    assert reject.detail.startswith("no picture of item 108: looked for '108' with .jpg, .jpeg")
    assert f"in {tmp_path}/images; the nearest name is 01/0108.jpg" in reject.detail


@given(st.lists(st.text("ab1-é", min_size=1, max_size=6), unique=True, max_size=12), st.randoms())
def test_every_picture_in_folders_by_prefix_is_found(ids: list[str], random: Any) -> None:
    paths = [f"_{item[:1]}/_{item[:2]}/{item}.jpg" for item in ids]
    random.shuffle(paths)
    found = pictures_of_ids(paths, ids)
    assert {item: pictures[0].rsplit("/", 1)[-1] for item, pictures in found.of_item.items()} == {
        item: f"{item}.jpg" for item in ids
    }
    assert found.dropped == []


def test_ids_from_names_that_no_address_could_hold_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    config = parse_config(IngestConfig, {"images": {"path": str(tmp_path / "images")}})
    names = ["x" * 2049, "y" * 2048]
    infos = [FileInfo(f"{tmp_path}/images/{name}.jpg", type=FileType.File) for name in names]
    catalogue = read_catalogue(config, [], infos)
    assert catalogue.item_ids.to_pylist() == ["y" * 2048]
    assert [reject.reason.value for reject in catalogue.rejects] == ["item_id_too_long"]
