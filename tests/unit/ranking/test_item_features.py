from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import load, save
from tests.support.ranking import make_item_features

from visrec.ranking.features import available_features
from visrec.ranking.item_features import ITEM_FEATURES, ItemFeatures, attributes_of
from visrec.storage import Location

VECTORS = np.zeros((4, 3), np.float32)


def test_attributes_are_the_categories_and_the_frequent_title_words() -> None:
    titles = ["red mug"] * 5 + ["mug"] * 5
    items = pa.table({"title": titles, "categories": [["kitchen"]] * 5 + [[]] * 5})
    attributes, share_A = attributes_of(items)
    assert attributes.row(0).tolist() == [0, 1]  # kitchen, red; a word of nearly all titles is none
    assert attributes.row(9).tolist() == []
    assert share_A.tolist() == [0.5, 0.5]


def test_a_catalogue_without_titles_has_no_attributes() -> None:
    items = pa.table({"title": pa.array([None, None], pa.string()), "categories": [["a"], ["b"]]})
    attributes, share_A = attributes_of(items)
    assert (len(attributes), len(attributes.values), len(share_A)) == (2, 0, 0)


@pytest.fixture
def stored(tmp_path: Path) -> Location:
    folder = Location.parse(str(tmp_path))
    make_item_features(
        attributes=[[0, 1], [], [1], [0]], members={"pictures": slice(0, 2), "ids": slice(2, 3)}
    ).save(folder)
    return folder


def test_members_and_attributes_are_stored(stored: Location) -> None:
    read = ItemFeatures.load(stored, VECTORS)
    assert list(read.members.items()) == [("pictures", slice(0, 2)), ("ids", slice(2, 3))]
    assert [read.attributes.row(item).tolist() for item in range(4)] == [[0, 1], [], [1], [0]]
    assert read.attribute_share_A.tolist() == [0.5, 0.5]


def test_a_release_of_before_has_neither(stored: Location) -> None:
    arrays = load((stored / ITEM_FEATURES).read_bytes())
    old = {name: array for name, array in arrays.items() if not name.startswith(("member.", "attribute_"))}
    (stored / ITEM_FEATURES).write_bytes(save(old))
    read = ItemFeatures.load(stored, VECTORS)
    assert not read.members
    assert not any(name.startswith(("attribute_", "score:")) for name in available_features(read))
