"""Each item id can be asked for in every route, and each address means one item."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.support.local_graph import local_service
from tests.support.releases import make_release
from tests.support.snapshots import make_snapshot

from visrec.config import ServeConfig
from visrec.data.schemas import MAX_ID_BYTES
from visrec.deployments.api import create_api
from visrec.storage import ArtifactStore

_ROUTE_PARTS = (".", "..", "...", "/lead", "trail/", "a//b", "a/b", "img", "img/image", "x", "x/similar")
_CHARACTERS = (
    "%2F",
    "50%off",
    "a+b",
    "q?x=1&y=2",
    "h#1",
    "café",
    "😀",
    "back\\slash",
    "//shop/p/12?v=3",
    "a b",
)
IDS = sorted([*_ROUTE_PARTS, *_CHARACTERS, "x" * MAX_ID_BYTES, "😀" * (MAX_ID_BYTES // 4)])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("ids")))
    num = len(IDS)
    histories = [[(user + step) % num for step in range(4)] for user in range(num)]
    make_release(workspace, make_snapshot(workspace, histories, num_items=num, item_ids=IDS))
    return create_api(asyncio.run(local_service(workspace, ServeConfig())))


def get(app: Any, path: str, root_path: str = "") -> httpx.Response:
    """Send a path as it is, without encoding it anew."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, root_path=root_path)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.get(httpx.URL("http://test", raw_path=path.encode()))

    return asyncio.run(send())


@pytest.mark.parametrize("item_id", IDS, ids=lambda item_id: ascii(item_id[:12]))
def test_every_id_can_be_asked_for_in_every_route(app: Any, item_id: str) -> None:
    encoded = quote(item_id, safe="").replace(".", "%2E")  # the client here shortens plain dots
    for path, query in ((f"/v1/items/{encoded}", ""), ("/v1/item", f"id={encoded}")):
        facts = get(app, f"{path}?{query}")
        assert facts.status_code == 200, facts.text
        assert facts.json()["id"] == item_id
        similar = get(app, f"{path}/similar?k=3&{query}").json()
        assert (similar["source"], len(similar["items"])) == ("item", 3)
        picture = get(app, f"{path}/image?{query}")
        linked = get(app, facts.json()["image"])
        assert picture.headers["content-type"] == linked.headers["content-type"] == "image/jpeg"
        assert picture.content == linked.content


@pytest.mark.parametrize("item_id", [".", ".."])
def test_browsers_do_not_shorten_the_link_to_a_picture(app: Any, item_id: str) -> None:
    link = get(app, f"/v1/item?id={item_id}").json()["image"]
    assert link.startswith(f"/v1/item/image?id={item_id}&v=")


def test_an_address_means_one_thing(app: Any) -> None:
    assert get(app, "/v1/items/img%2Fimage").json()["id"] == "img/image"
    assert get(app, "/v1/items/img/image").headers["content-type"] == "image/jpeg"
    assert get(app, "/v1/items/x%2Fsimilar").json()["id"] == "x/similar"
    assert "items" in get(app, "/v1/items/x/similar").json()
    assert get(app, "/v1/items/a/b").json()["id"] == "a/b"  # as sent by clients that do not encode slashes
    assert get(app, "/v1/items/%252F").json()["id"] == "%2F"


def test_encoded_letters_of_the_prefix_and_a_root_path(app: Any) -> None:
    assert get(app, "/v1/%69tems/img").json()["id"] == "img"
    assert get(app, "/shop/v1/items/img%2Fimage", "/shop").json()["id"] == "img/image"
    assert get(app, "/shop/v1/items/img", "/shop").json()["image"].startswith("/shop/v1/items/img/image?")
