"""Names in the picture column that differ from the file's path: endings, folders, spellings, addresses."""

import unicodedata
from pathlib import Path

import pytest

from visrec.config import IngestConfig, parse_config
from visrec.errors import PictureError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.files import find_inputs
from visrec.ingestion.picture_index import PictureIndex
from visrec.ingestion.picture_sources import read_pictures

PATHS = ["a/Shoe 1.JPG", "a/x.png", "a/x.jpg", "b/café.jpg", "c/1.jpg", "d/1.jpg", "e/v1.5.jpg", "plain"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/x.png", "a/x.png"),
        ("a/x", "a/x.jpg"),
        ("x", "a/x.jpg"),
        ("x.jpg", "a/x.jpg"),
        ("X.PNG", "a/x.jpg"),
        ("./a/x.png", "a/x.png"),
        ("/a/x.png", "a/x.png"),
        ("a\\x.png", "a/x.png"),
        ("C:\\shop\\a\\x.png", "a/x.jpg"),
        ("media/a/x", "a/x.jpg"),
        ("https://shop.example/media/a/x.png?width=800", "a/x.jpg"),
        ("a/x.png?width=800", "a/x.png"),
        ("shoe%201.jpg", "a/Shoe 1.JPG"),
        ("A/SHOE 1", "a/Shoe 1.JPG"),
        (unicodedata.normalize("NFD", "café"), "b/café.jpg"),
        (unicodedata.normalize("NFD", "b/CAFÉ.jpg"), "b/café.jpg"),
        ("v1.5", "e/v1.5.jpg"),
        ("plain", "plain"),
        ("1", None),  # two files
        ("z/1.jpg", None),
        ("nothing", None),
    ],
)
def test_what_a_name_means(name: str, expected: str | None) -> None:
    assert PictureIndex(PATHS).find(name) == expected


def test_a_file_that_two_names_would_mean_loosely_is_neithers() -> None:
    index = PictureIndex(["1.jpg", "2.jpg"])
    assert index.find_all(["7/1.jpg", "8/1.jpg", "7/2.jpg"]) == {"7/2.jpg": "2.jpg"}
    assert index.find_all(["1.jpg", "8/1.jpg"]) == {"1.jpg": "1.jpg", "8/1.jpg": "1.jpg"}


def test_names_in_a_column_and_the_message_of_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "images" / "x").mkdir(parents=True)
    for name in ("x/f00d1.jpg", "f00d2.png"):
        (tmp_path / "images" / name).write_text(name)
    (tmp_path / "log.csv").write_text("x")
    (tmp_path / "items.csv").write_text(
        f"item_id,image\n1,f00d1\n2,{tmp_path}/images/F00D2.PNG\n3,f00d3\n4,\n5,mock:///f00d1\n"
    )
    values = {
        "interactions": {"path": str(tmp_path / "log.csv")},
        "items": {"path": str(tmp_path / "items.csv"), "columns": {"image": "image"}},
        "images": {"path": str(tmp_path / "images")},
    }
    config = parse_config(IngestConfig, values)
    inputs = find_inputs(config)
    sources = read_catalogue(config, inputs.items, inputs.pictures).sources
    read = list(read_pictures(sources, max_bytes=100))
    assert read[:2] == [b"x/f00d1.jpg", b"f00d2.png"]
    assert isinstance(read[2], PictureError)
    assert str(read[2]) == (
        f"there is no such file, looked for 'f00d3' in {tmp_path}/images; the nearest name in it is f00d2.png"
    )
    assert str(sources[3]) == "mock:///f00d1"
