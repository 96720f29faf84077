"""Lists of recommended items: as sequences, as text, in a notebook, in Arrow and pandas."""

import base64
import re
from dataclasses import replace

import pyarrow as pa
import pytest
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.recommend.lists import RecommendationList, RecommendedItem
from visrec.recommend.shop import Shop
from visrec.releases import Release
from visrec.storage import ArtifactStore


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("lists")))
    return make_release(workspace, checkerboard_snapshot(workspace, num_users=6, num_items=20, image_size=16))


@pytest.fixture(scope="module")
def shop(release: Release) -> Shop:
    return Shop(release)


def test_a_list_is_a_sequence(shop: Shop, release: Release) -> None:
    found = shop.similar("i00004", k=4)
    assert (len(found), found.source, found.release) == (4, "item", release.name)
    assert [item.position for item in found] == [0, 1, 2, 3]
    assert isinstance(found[0], RecommendedItem)
    assert list(found[1:3]) == [found[1], found[2]]
    assert found[1:3].source == "item"
    assert found[0] in found
    assert replace(found[0], score=9.0) not in found


def test_a_list_as_text(shop: Shop) -> None:
    found = shop.similar("i00004", k=3)
    caption, *rows = repr(found).splitlines()
    assert caption == f"3 items, source: item, release: {found.release}"
    for row, item in zip(rows, found, strict=True):
        assert row.split()[:3] == [str(item.position), item.id, f"{item.score:.4f}"]
        assert row.endswith(str(item.title))
    assert repr(shop.recommend(categories=["none such"])).startswith("0 items")


def test_a_notebook_shows_pictures_in_the_colors_of_its_theme(shop: Shop, release: Release) -> None:
    found = shop.similar("i00004", k=3)
    markup = found._repr_html_()
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', markup)
    assert [base64.b64decode(picture) for picture in pictures] == [item.image for item in found]
    assert all(f">{item.title}<" in markup and f"{item.score:.4f}" in markup for item in found)
    assert "flex-wrap:wrap" in markup
    # Text and ground have the notebook's own colors, so that light and dark themes both work.
    assert not re.search(r"(?<![-\w])color:(?!inherit)|background:(?!rgba\(128,128,128)|#[0-9a-f]{3}", markup)
    titled = TitledItem(index=0, release=release, position=0, score=1.0)
    strange = RecommendationList([titled], source="item", release=release.name)
    assert "&lt;b&gt; &amp; co" in strange._repr_html_()


class TitledItem(RecommendedItem):
    @property
    def title(self) -> str | None:
        return "<b> & co"


def test_a_list_as_arrow_and_pandas(shop: Shop) -> None:
    found = shop.recommend(user="u00001", k=4)
    table = found.to_arrow()
    assert table.schema.names == ["position", "item_id", "title", "score", "price", "categories"]
    assert table.schema.field("categories").type == pa.list_(pa.string())
    assert table.column("item_id").to_pylist() == [item.id for item in found]
    assert table.column("score").to_pylist() == [item.score for item in found]
    frame = found.to_pandas()
    assert frame["item_id"].tolist() == [item.id for item in found]
    assert frame["price"].tolist() == [item.price for item in found]
    empty = shop.recommend(categories=["none such"])
    assert empty.to_arrow().schema == table.schema
