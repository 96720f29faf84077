"""The front door: the same lists as through the pipeline of the server, and no more imports than needed."""

import asyncio
import io
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from tests.support.local_graph import LocalGraph
from tests.support.releases import SMALL_MODEL, make_release
from tests.support.snapshots import checkerboard_snapshot

import visrec
from visrec.config import ItemTowerConfig, ServeConfig
from visrec.errors import ArtifactError, NotFoundError, PictureError, UnsupportedError
from visrec.recommend.lists import RecommendationList
from visrec.recommend.pipeline import Pipeline
from visrec.recommend.stage import run
from visrec.recommend.types import HistoryEvent, RecommendOptions, Rules
from visrec.releases import Release
from visrec.storage import ArtifactStore

TIME = datetime(2030, 1, 1, tzinfo=UTC)
DISLIKED = HistoryEvent(item_id="i00007", kind="dislike", time=TIME)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    return ArtifactStore(str(tmp_path_factory.mktemp("shop")))


@pytest.fixture(scope="module")
def release(workspace: ArtifactStore) -> Release:
    return make_release(workspace, checkerboard_snapshot(workspace, num_users=6, num_items=20, image_size=16))


@pytest.fixture(scope="module")
def shop(workspace: ArtifactStore, release: Release) -> visrec.Shop:
    return visrec.open(str(workspace.root))


@pytest.fixture(scope="module")
def graph(workspace: ArtifactStore, release: Release) -> LocalGraph:
    return LocalGraph(workspace, ServeConfig())


def png(color: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), color).save(buffer, "PNG")
    return buffer.getvalue()


BLUE = Rules(include_categories=frozenset({"blue"}), min_price=2.0, max_price=9.0)
EVENTS = [HistoryEvent(item_id="i00003", time=TIME), DISLIKED]


@pytest.mark.parametrize(
    ("from_shop", "from_server"),
    [
        (
            lambda shop: shop.recommend(user="u00001", k=4),
            lambda graph, release: graph.recommend(release, "u00001", [], RecommendOptions(k=4)),
        ),
        (
            lambda shop: shop.recommend(
                user="u00002", categories=["blue"], min_price=2.0, max_price=9.0, diversity=0.5
            ),
            lambda graph, release: graph.recommend(
                release, "u00002", [], RecommendOptions(rules=BLUE, diversity=0.5)
            ),
        ),
        (
            lambda shop: shop.recommend(history=EVENTS, exclude_seen=False),
            lambda graph, release: graph.recommend(
                release, None, EVENTS, RecommendOptions(exclude_seen=False)
            ),
        ),
        (
            lambda shop: shop.recommend(exclude_categories=["red"], available_only=False),
            lambda graph, release: graph.recommend(
                release,
                None,
                [],
                RecommendOptions(rules=Rules(exclude_categories=frozenset({"red"}), available_only=False)),
            ),
        ),
        (
            lambda shop: shop.similar("i00004", k=7, categories=["blue"], min_price=2.0, max_price=9.0),
            lambda graph, release: graph.similar(release, "i00004", RecommendOptions(k=7, rules=BLUE)),
        ),
        (
            lambda shop: shop.search(png(), k=3, diversity=0.3),
            lambda graph, release: graph.search(release, png(), RecommendOptions(k=3, diversity=0.3)),
        ),
    ],
)
def test_lists_are_those_of_the_server(
    shop: visrec.Shop,
    graph: LocalGraph,
    release: Release,
    from_shop: Callable[[visrec.Shop], RecommendationList],
    from_server: Callable[[Pipeline, Release], Awaitable[RecommendationList]],
) -> None:
    async def served() -> RecommendationList:
        return await from_server(graph.pipeline, release)

    mine = from_shop(shop)
    assert len(mine)
    assert mine == asyncio.run(served())


def test_history_entries_are_ids_pairs_or_events(shop: visrec.Shop) -> None:
    plain = shop.recommend(history=["i00003", "i00005"], k=20)
    assert plain.source == "history"
    assert plain == shop.recommend(history=[("i00003", "click"), ("i00005", "click")], k=20)
    assert "i00007" in [item.id for item in plain]
    assert "i00007" not in [
        item.id for item in shop.recommend(history=["i00003", ("i00007", "dislike")], k=20)
    ]


def test_without_history_popular_items_come(shop: visrec.Shop, release: Release) -> None:
    for user in (None, "nobody knows them"):
        found = shop.recommend(user=user, k=5)
        assert found.source == "popular"
        assert [item.index for item in found] == release.popularity.items[:5].tolist()


def test_a_picture_is_given_by_path_or_by_bytes(shop: visrec.Shop, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    by_bytes = shop.search(png(), k=3)
    assert by_bytes.source == "picture"
    assert (
        by_bytes == shop.search(tmp_path / "photo.png", k=3) == shop.search(str(tmp_path / "photo.png"), k=3)
    )


def test_unknown_items_of_a_history_are_left_out_and_named(shop: visrec.Shop) -> None:
    known, found = shop.recommend(history=["i00003"], k=5), shop.recommend(history=["i00003", "i99999"], k=5)
    assert (known.unknown_items, found.unknown_items) == ((), ("i99999",))
    assert [item.id for item in found] == [item.id for item in known]
    assert found != known
    assert found[:2].unknown_items == ("i99999",)
    assert repr(found).splitlines()[0].endswith("unknown items: i99999")
    assert shop.recommend(history=["i99999"]).source == "popular"


def test_mistakes_are_named(shop: visrec.Shop, tmp_path: Path) -> None:
    for call in (
        lambda: shop.similar("i99999"),
        lambda: shop.item("i99999"),
    ):
        with pytest.raises(NotFoundError, match="item 'i99999' is not in the catalogue"):
            call()
    with pytest.raises(PictureError, match=r"photo\.jpg: No such file"):
        shop.search(tmp_path / "photo.jpg")
    with pytest.raises(ValueError, match="k as a whole number of at least 1, got 0"):
        shop.recommend(k=0)
    with pytest.raises(ValueError, match="k as a whole number of at least 1, got 'a'"):
        shop.recommend(k="a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="id of a user as text, got 17"):
        shop.recommend(user=17)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r'got the text \'i00042\'; write \["i00042"\]'):
        shop.recommend(history="i00042")
    with pytest.raises(ValueError, match="max_price of at least 0, got -1"):
        shop.similar("i00001", max_price=-1)
    with pytest.raises(ValueError, match=r"diversity from 0 to 1, got 1\.5"):
        shop.similar("i00001", diversity=1.5)
    with pytest.raises(ValueError, match="min_price 3 is above max_price 2"):
        shop.recommend(min_price=3, max_price=2)
    with pytest.raises(ValueError, match=r"list of categories, got the text 'red'"):
        shop.recommend(categories="red")
    with pytest.raises(ValueError, match=r"an event kind \(view, click, .*\), got 'stare'"):
        shop.recommend(history=[("i00001", "stare")])  # type: ignore[list-item]


def test_a_release_without_pixels_cannot_search_by_picture(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    ids_only = SMALL_MODEL.replace(item=ItemTowerConfig(backbone=None, id_embedding=True))
    make_release(workspace, checkerboard_snapshot(workspace, num_users=4, num_items=6), model=ids_only)
    with pytest.raises(UnsupportedError, match="cannot search by picture"):
        visrec.open(tmp_path).search(png())


def test_a_release_is_opened_by_name_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6)
    first, second = (make_release(workspace, snapshot, seed=seed) for seed in (0, 1))
    assert visrec.open(workspace).release.name == second.name
    assert visrec.open(tmp_path, first.name).release.name == first.name
    flip_one_bit(second.artifact.local_path("item_vectors.npy"))
    with pytest.raises(ArtifactError, match=r"is damaged: item_vectors\.npy"):
        visrec.open(workspace)


def flip_one_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_an_item_has_facts_and_its_picture(shop: visrec.Shop, release: Release) -> None:
    item = shop.item("i00002")
    assert (item.id, item.title, item.categories, item.available) == ("i00002", "Item 2", ["red"], True)
    assert item.price == release.catalogue.price_of(2)
    assert item.image == release.thumbnails.read(2)
    assert repr(item) == f"Item(id='i00002', title='Item 2', price={item.price})"
    assert repr(shop) == f"Shop(release='{release.name}', num_items=20)"


def test_it_works_where_an_event_loop_runs_already(shop: visrec.Shop) -> None:
    async def cell() -> RecommendationList:
        return shop.similar("i00004", k=3)

    assert asyncio.run(cell()) == shop.similar("i00004", k=3)


def test_a_coroutine_that_waits_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="never waits"):
        run(asyncio.sleep(0))


def loaded_modules(code: str) -> set[str]:
    """Modules that a new interpreter has loaded after some code."""
    code += "\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split())


def test_importing_visrec_imports_none_of_its_rooms() -> None:
    loaded = loaded_modules("import visrec")
    assert not loaded & {"torch", "ray", "numpy", "pyarrow", "pydantic"}
    assert {name for name in loaded if name.startswith("visrec.")} == {"visrec.errors"}


def test_similar_items_need_neither_torch_nor_a_server(workspace: ArtifactStore, release: Release) -> None:
    loaded = loaded_modules(
        f"import visrec\nassert len(visrec.open({str(workspace.root)!r}).similar('i00004')) == 10"
    )
    assert not loaded & {"torch", "ray", "fastapi", "sklearn"}


def test_recommending_needs_neither_ray_nor_a_server(workspace: ArtifactStore, release: Release) -> None:
    loaded = loaded_modules(
        f"import visrec\nvisrec.open({str(workspace.root)!r}).recommend(user='u00001')[0].image"
    )
    assert "torch" in loaded
    assert not loaded & {"ray", "fastapi", "starlette"}


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        visrec.nothing  # type: ignore[attr-defined]  # noqa: B018
    assert dir(visrec) == sorted(visrec.__all__)
