"""The HTTP interface over the real parts in one process."""

import asyncio
import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.support.local_graph import local_service
from tests.support.releases import make_release
from tests.support.snapshots import checkerboard_snapshot

from visrec.config import ServeConfig
from visrec.data.snapshot import Snapshot
from visrec.deployments.api import create_api
from visrec.releases import Release
from visrec.storage import ArtifactStore

CONFIG = ServeConfig(max_upload_bytes=20_000, max_upload_pixels=10_000)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    return ArtifactStore(str(tmp_path_factory.mktemp("api")))


@pytest.fixture(scope="module")
def release(workspace: ArtifactStore) -> Release:
    return make_release(workspace, checkerboard_snapshot(workspace, num_users=6, num_items=20, image_size=16))


class Client:
    """Calls the app without a network."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(call())

    def recommend(self, **body: Any) -> httpx.Response:
        return self("POST", "/v1/recommendations", json=body)

    def upload(self, data: bytes, path: str = "/v1/search/image") -> httpx.Response:
        return self("POST", path, files={"file": ("picture", data)})


@pytest.fixture(scope="module")
def call(workspace: ArtifactStore, release: Release) -> Client:
    return Client(create_api(asyncio.run(local_service(workspace, CONFIG))))


def png(size: tuple[int, int] = (16, 16), colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


def assert_problem(response: httpx.Response, status: int, slug: str, detail: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["type"]) == (status, f"urn:visrec:problem:{slug}")
    assert detail in body["detail"]
    assert body["instance"] == response.request.url.path


def test_known_user(call: Client, release: Release) -> None:
    response = call.recommend(user_id="u00001", k=4)
    body = response.json()
    assert (body["source"], body["release"], len(body["items"])) == ("user", release.name, 4)
    history = release.histories.find("u00001")
    assert history is not None
    assert not {release.catalogue.id_of(item) for item in history.items.tolist()} & set(ids(response))
    assert [item["position"] for item in body["items"]] == [0, 1, 2, 3]
    first = body["items"][0]
    assert first["reason"] == "personal"
    assert first["title"] == f"Item {int(first['id'][1:])}"
    assert first["image"] == f"/v1/items/{first['id']}/image?v={release.name}"


def test_given_history_is_left_out_of_the_list_unless_wanted(call: Client) -> None:
    history = [{"item_id": "i00003", "kind": "like", "time": "2024-01-01T00:00:00Z"}, {"item_id": "i00005"}]
    response = call.recommend(history=history, k=20)
    assert response.json()["source"] == "history"
    assert sorted(ids(response)) == [f"i{n:05d}" for n in range(20) if n not in (3, 5)]
    assert len(ids(call.recommend(history=history, k=20, exclude_seen=False))) == 20


@pytest.mark.parametrize("body", [{}, {"user_id": "nobody knows them"}, {"history": []}])
def test_without_history_popular_items_come_and_say_so(
    call: Client, release: Release, body: dict[str, Any]
) -> None:
    response = call.recommend(**body, k=3)
    assert response.json()["source"] == "popular"
    assert {item["reason"] for item in response.json()["items"]} == {"popular"}
    assert ids(response) == [release.catalogue.id_of(i) for i in release.popularity.items[:3].tolist()]


def test_unknown_items_of_a_history_are_left_out_and_named(call: Client) -> None:
    known = [{"item_id": "i00003"}, {"item_id": "i00005"}]
    expected = call.recommend(history=known, k=4).json()
    assert expected["unknown_items"] == []
    gone = {"item_id": "gone"}
    found = call.recommend(history=[gone, known[0], gone, known[1]], k=4).json()
    assert (found["source"], found["unknown_items"]) == ("history", ["gone"])
    assert [item["id"] for item in found["items"]] == [item["id"] for item in expected["items"]]
    nothing_known = call.recommend(history=[gone], k=4).json()
    assert (nothing_known["source"], nothing_known["unknown_items"]) == ("popular", ["gone"])
    stored = call.recommend(user_id="u00001", history=[gone], k=4).json()
    assert (stored["source"], stored["unknown_items"]) == ("user", ["gone"])


def test_filters(call: Client) -> None:
    filters = {"include_categories": ["blue"], "max_price": 5.0}
    for body in ({}, {"user_id": "u00000"}):
        items = call.recommend(**body, k=20, filters=filters).json()["items"]
        assert items
        assert all(item["categories"] == ["blue"] and item["price"] <= 5 for item in items)


def test_k_above_the_catalogue_gives_all(call: Client) -> None:
    assert len(ids(call.recommend(k=500))) == 20


def test_similar_items(call: Client) -> None:
    found = ids(call("GET", "/v1/items/i00004/similar?k=9"))
    assert len(found) == 9
    assert "i00004" not in found
    assert_problem(
        call("GET", "/v1/items/none/similar"), 404, "unknown-item", "'none' is not in the catalogue"
    )


def test_search_by_picture_finds_the_picture_itself(call: Client, workspace: ArtifactStore) -> None:
    pixels = Snapshot(workspace.find("snapshots")).images.read(np.array([6]))[0]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    response = call.upload(buffer.getvalue(), "/v1/search/image?k=3")
    assert ids(response)[0] == "i00006"
    assert response.json()["source"] == "picture"
    assert response.json()["items"][0]["score"] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("data", "status", "slug", "detail"),
    [
        (b"no picture", 422, "unreadable-picture", "expected a picture"),
        (b"", 422, "unreadable-picture", "an empty file"),
        (png()[:60], 422, "unreadable-picture", "damaged"),
        (b"x" * 20_001, 413, "too-large", "at most 20,000 bytes, got 20,001"),
        (b"x" * 90_000, 413, "too-large", "at most 20,000 bytes, got"),
        (png((200, 100)), 413, "too-large", "at most 10,000 pixels, got 200 x 100"),
    ],
)
def test_pictures_that_cannot_be_used(call: Client, data: bytes, status: int, slug: str, detail: str) -> None:
    assert_problem(call.upload(data), status, slug, detail)


def test_an_upload_without_a_length_is_cut_off_while_it_comes(call: Client) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        while True:
            sent += 1000
            yield b"x" * 1000

    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = call("POST", "/v1/search/image", content=endless(), headers=headers)
    assert_problem(response, 413, "too-large", "at most 20,000 bytes, got more")
    assert sent < 60_000


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        ({"k": 0}, "body.k", "greater than or equal to 1"),
        ({"k": 501}, "body.k", "less than or equal to 500"),
        ({"k": "many"}, "body.k", "valid integer"),
        ({"kk": 3}, "body.kk", "Extra inputs are not permitted"),
        ({"diversity": 1.5}, "body.diversity", "less than or equal to 1"),
        ({"history": [{"kind": "click"}]}, "body.history.0.item_id", "Field required"),
        ({"history": [{"item_id": "i00001", "kind": "stare"}]}, "body.history.0.kind", "'view', 'click'"),
        ({"history": [{"item_id": "i00001"}] * 1001}, "body.history", "at most 1000 items"),
        ({"filters": {"min_price": 3, "max_price": 2}}, "body.filters", "min_price 3 is above max_price 2"),
        ({"filters": {"min_price": -1}}, "body.filters.min_price", "greater than or equal to 0"),
    ],
)
def test_requests_that_do_not_fit(call: Client, body: dict[str, Any], field: str, detail: str) -> None:
    response = call.recommend(**body)
    assert_problem(response, 422, "invalid-request", detail)
    assert field in [error["field"] for error in response.json()["errors"]]


def test_other_errors_are_problems_too(call: Client) -> None:
    assert_problem(call("GET", "/v1/nothing"), 404, "not-found", "Not Found")
    assert_problem(call("GET", "/v1/recommendations"), 405, "method-not-allowed", "Method Not Allowed")
    broken = call("POST", "/v1/recommendations", content=b"{", headers={"content-type": "application/json"})
    assert_problem(broken, 422, "invalid-request", "JSON decode error")
    large = call(
        "POST", "/v1/recommendations", content=b" " * 1_000_001, headers={"content-type": "application/json"}
    )
    assert_problem(large, 413, "too-large", "at most 1,000,000 bytes, got 1,000,001")


def test_browse(call: Client, release: Release) -> None:
    page = call("GET", "/v1/items?offset=2&limit=3").json()
    assert (page["total"], page["offset"], [i["id"] for i in page["items"]]) == (
        20,
        2,
        ["i00002", "i00003", "i00004"],
    )
    assert call("GET", "/v1/items?q=item+1&category=blue").json()["total"] == 6
    popular = ids(call("GET", "/v1/items?order=popular&limit=2"))
    assert popular == [release.catalogue.id_of(i) for i in release.popularity.items[:2].tolist()]
    shuffled = [ids(call("GET", f"/v1/items?order=shuffled&seed={seed}")) for seed in (1, 1, 2)]
    assert shuffled[0] == shuffled[1] != shuffled[2]
    assert sorted(shuffled[0]) == sorted(shuffled[2])
    assert ids(call("GET", "/v1/items?offset=50")) == []
    assert_problem(call("GET", "/v1/items?limit=0"), 422, "invalid-request", "query.limit")
    assert call("GET", "/v1/categories").json() == [{"name": n, "num_items": 10} for n in ("blue", "red")]


def test_item_and_its_picture(call: Client, release: Release) -> None:
    facts = call("GET", "/v1/items/i00002").json()
    assert (facts["title"], facts["available"], facts["categories"]) == ("Item 2", True, ["red"])
    image = call("GET", facts["image"])
    assert image.headers["content-type"] == "image/jpeg"
    assert image.content == release.thumbnails.read(2)
    assert "immutable" in image.headers["cache-control"]
    assert "immutable" not in call("GET", "/v1/items/i00002/image?v=old").headers["cache-control"]
    again = call("GET", facts["image"], headers={"if-none-match": image.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert_problem(call("GET", "/v1/items/none"), 404, "unknown-item", "'none'")


def test_health_and_release(call: Client, release: Release) -> None:
    health = call("GET", "/v1/health").json()
    assert health == {
        "live": True,
        "ready": True,
        "release": release.name,
        "graph": {"encoder": "ok", "retriever": "ok", "ranker": "ok"},
        "trouble": None,
    }
    facts = call("GET", "/v1/release").json()
    assert (facts["name"], facts["counts"]["num_items"], facts["index"]) == (release.name, 20, "exact")
    assert (facts["forced"], facts["metrics"]["metrics"]["model"]["ndcg@10"]["mean"]) == (None, 0.3)


def test_the_description_names_every_route_and_its_problems(call: Client) -> None:
    described = call("GET", "/openapi.json").json()
    assert set(described["paths"]) == {
        "/v1/recommendations",
        "/v1/items/{item_id}/similar",
        "/v1/search/image",
        "/v1/items",
        "/v1/categories",
        "/v1/items/{item_id}/image",
        "/v1/items/{item_id}",
        "/v1/item",
        "/v1/item/image",
        "/v1/item/similar",
        "/v1/health",
        "/v1/release",
    }
    schemas = described["components"]["schemas"]
    assert schemas["Problem"]["properties"]["errors"]["anyOf"][0]["items"]["$ref"].endswith("/FieldError")
    assert "FieldError" in schemas
    assert "HTTPValidationError" not in schemas
    assert schemas["RecommendationRequest"]["examples"]


def test_page_comes_with_a_strict_policy_and_no_foreign_address(call: Client) -> None:
    for path in ("/", "/docs"):
        response = call("GET", path)
        assert response.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
    for path in ("/", "/docs", "/page/style.css", "/page/app.js", "/page/docs.js"):
        response = call("GET", path)
        assert response.status_code == 200
        assert "http:" not in response.text.replace("http://www.w3.org", "")
        assert "https:" not in response.text
        assert call("GET", path, headers={"if-none-match": response.headers["etag"]}).status_code == 304
