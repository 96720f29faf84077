import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.releases import SMALL_MODEL, make_release
from tests.support.snapshots import HOUR_MS, START_MS, checkerboard_snapshot

from visrec.config import EVENT_KINDS, EventKind, ItemTowerConfig
from visrec.data.decoding import DecodedPicture, decode_picture
from visrec.errors import PictureError, UnsupportedError
from visrec.models import History
from visrec.recommend.encoder import MAX_DECODING, Encoder, KindRules, PictureDecoder
from visrec.recommend.types import Event
from visrec.releases import Release
from visrec.storage import ArtifactStore

NOW = START_MS + 1000 * HOUR_MS
CLICK = EVENT_KINDS.index("click")
DECODER = PictureDecoder(max_bytes=10_000, max_pixels=10_000)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    workspace = ArtifactStore(str(tmp_path_factory.mktemp("encoder")))
    return make_release(workspace, checkerboard_snapshot(workspace, num_users=6, num_items=10, image_size=16))


def expected(release: Release, items: list[int], times: list[int]) -> list[float]:
    history = History(
        items=np.array(items, np.int32),
        kinds=np.full(len(items), CLICK, np.int8),
        times=np.array(times, np.int64),
    )
    query = release.recommender().encode_users([history], release.item_vectors)[0]
    return [*query.tolist(), 1.0]


def stored(release: Release, user: str) -> tuple[list[int], list[int]]:
    found = release.histories.find(user)
    assert found is not None
    return found.items.tolist(), found.times.tolist()


def test_known_user(release: Release) -> None:
    items, times = stored(release, "u00001")
    query = Encoder.load(release, decoder=DECODER).encode_user("u00001", [])
    assert query.source == "user"
    assert query.vector_D is not None
    assert query.vector_D.tolist() == expected(release, items, times)
    assert query.seen.tolist() == sorted(items)


def test_given_history_follows_the_stored_one_and_a_repeated_item_counts_at_its_last_place(
    release: Release,
) -> None:
    items, times = stored(release, "u00001")
    events = [Event(item=items[0], kind=None, time=NOW), Event(item=2, kind="click", time=NOW + 1)]
    query = Encoder.load(release, decoder=DECODER).encode_user("u00001", events)
    assert query.source == "user"
    assert query.vector_D is not None
    assert query.vector_D.tolist() == expected(release, [*items[1:], items[0], 2], [*times[1:], NOW, NOW + 1])
    assert query.seen.tolist() == sorted({*items, 2})


def test_history_alone_is_enough(release: Release) -> None:
    for user in (None, "nobody knows them"):
        query = Encoder.load(release, decoder=DECODER).encode_user(
            user, [Event(item=3, kind="click", time=NOW)]
        )
        assert query.source == "history"
        assert query.vector_D is not None
        assert query.vector_D.tolist() == expected(release, [3], [NOW])


def test_a_model_with_recency_reads_the_time_of_the_request(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    recent = SMALL_MODEL.replace(user=SMALL_MODEL.user.replace(recency=True))
    snapshot = checkerboard_snapshot(workspace, num_users=4, num_items=6, image_size=16)
    release = make_release(workspace, snapshot, model=recent)
    encoder, now = Encoder.load(release, decoder=DECODER), int(1000 * time.time())
    vectors = []
    for days in (1, 30):
        then = now - days * 24 * HOUR_MS
        history = History(
            items=np.array([3], np.int32), kinds=np.array([CLICK], np.int8), times=np.array([then])
        )
        wanted = release.recommender().encode_users([history], release.item_vectors, np.array([now]))[0]
        served = encoder.encode_user(None, [Event(item=3, kind="click", time=then)]).vector_D
        assert served is not None
        assert served.tolist() == [*wanted.tolist(), 1.0]
        vectors.append(served)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def test_negative_events_are_seen_but_not_encoded(release: Release) -> None:
    query = Encoder.load(release, decoder=DECODER).encode_user(
        None, [Event(item=3, kind="click", time=NOW), Event(item=4, kind="dislike", time=NOW)]
    )
    assert query.vector_D is not None
    assert query.vector_D.tolist() == expected(release, [3], [NOW])
    assert query.seen.tolist() == [3, 4]
    only_negative = Encoder.load(release, decoder=DECODER).encode_user(
        None, [Event(item=4, kind="hide", time=NOW)]
    )
    assert (only_negative.vector_D, only_negative.source, only_negative.seen.tolist()) == (
        None,
        "popular",
        [4],
    )


def test_without_any_history_the_source_is_popularity(release: Release) -> None:
    query = Encoder.load(release, decoder=DECODER).encode_user("nobody knows them", [])
    assert (query.vector_D, query.source, query.seen.tolist()) == (None, "popular", [])


def test_an_untrained_kind_takes_the_embedding_of_the_default() -> None:
    rules = KindRules(
        weights={"click": 1.0, "purchase": 4.0, "view": 0.0}, trained=frozenset({"click"}), default="click"
    )
    assert rules.trained_code("purchase") == rules.trained_code(None) == rules.trained_code("click") == CLICK
    assert rules.code("purchase") == EVENT_KINDS.index("purchase")
    assert rules.code(None) == CLICK
    kinds: tuple[EventKind | None, ...] = ("click", "purchase", None, "view", "hide")
    assert [rules.is_positive(kind) for kind in kinds] == [True] * 3 + [False] * 2


def test_picture_of_an_item_gives_its_direction(release: Release) -> None:
    pixels = np.full((40, 40, 3), (200, 30, 30), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    vector = Encoder.load(release, decoder=DECODER).encode_picture(buffer.getvalue())
    raw = release.recommender().encode_pictures(pixels[None, :16, :16])[0]
    np.testing.assert_allclose(vector, raw / np.linalg.norm(raw), rtol=1e-5)


def test_pictures_that_are_none_or_too_large(release: Release) -> None:
    for max_bytes, message in ((10, "expected a picture"), (3, "at most 3 bytes, got 5")):
        encoder = Encoder.load(release, decoder=PictureDecoder(max_bytes=max_bytes, max_pixels=10))
        with pytest.raises(PictureError, match=message):
            encoder.encode_picture(b"hello")


def test_a_release_without_pixels_says_so(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    ids_only = SMALL_MODEL.replace(item=ItemTowerConfig(backbone=None, id_embedding=True))
    release = make_release(
        workspace, checkerboard_snapshot(workspace, num_users=4, num_items=6), model=ids_only
    )
    with pytest.raises(UnsupportedError, match="by id only and cannot search by picture"):
        Encoder.load(release, decoder=DECODER).encode_picture(b"")


def test_few_pictures_are_decoded_at_the_same_time(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Lock()
    now, most = 0, 0

    def counted(data: bytes, **limits: Any) -> DecodedPicture:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return decode_picture(data, **limits)

    monkeypatch.setattr("visrec.recommend.encoder.decode_picture", counted)
    encoders = [
        Encoder.load(release, decoder=DECODER) for _ in range(2)
    ]  # those of a process share a decoder
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    with ThreadPoolExecutor(6) as pool:
        vectors = list(
            pool.map(lambda number: encoders[number % 2].encode_picture(buffer.getvalue()), range(6))
        )
    assert most == MAX_DECODING
    assert len({vector.tobytes() for vector in vectors}) == 1
