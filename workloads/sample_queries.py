"""Sample queries over HTTP, one of each kind that the server answers."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import requests

from visrec.config import EVENT_KINDS, SplitConfig
from visrec.data.snapshot import Snapshot
from visrec.errors import ClusterError

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A user and an item of a snapshot, for sample queries.

    Attributes:
        user_id: A user with a long history.
        history: Item id and kind of the user's last events, oldest first.
        item_id: The user's last item that has a picture.
        picture: That picture, as a JPEG file.
    """

    user_id: str
    history: tuple[tuple[str, str], ...]
    item_id: str
    picture: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryResult:
    """Answer to a sample query.

    Attributes:
        name: The query in words.
        item_ids: The items of the answer, best first.
        milliseconds: Time from the request to the whole answer, measured by the client.
    """

    name: str
    item_ids: tuple[str, ...]
    milliseconds: float


def take_sample(snapshot: Snapshot, *, num_events: int = 5) -> Sample:
    """The user with the longest history in the first block of users; deterministic."""
    block = next(snapshot.sequences(SplitConfig()))
    row = int(np.argmax(np.diff(block.offsets)))
    events = slice(block.offsets[row], block.offsets[row + 1])
    items, kinds = block.items[events][-num_events:], block.kinds[events][-num_events:]
    item_ids = snapshot.items.column("item_id")
    pictured = next(
        (int(i) for i in items[::-1] if snapshot.image_rows[i] >= 0), int(np.argmax(snapshot.image_rows))
    )
    return Sample(
        user_id=next(snapshot.user_ids())[row].as_py(),
        history=tuple((item_ids[int(i)].as_py(), EVENT_KINDS[k]) for i, k in zip(items, kinds, strict=True)),
        item_id=item_ids[pictured].as_py(),
        picture=snapshot.thumbnails.read(int(snapshot.image_rows[pictured])),
    )


def send_queries(address: str, sample: Sample, *, num_items: int = 10) -> tuple[QueryResult, ...]:
    """Send each query once.

    Raises:
        ClusterError: A query was not answered.
    """
    history = [{"item_id": item_id, "kind": kind} for item_id, kind in sample.history]
    recommend = f"{address}/v1/recommendations"
    similar = f"{address}/v1/items/{sample.item_id}/similar"
    search = f"{address}/v1/search/image"
    picture = {"file": ("picture.jpg", sample.picture, "image/jpeg")}
    k = num_items
    return (
        _send(
            f"recommendations for user {sample.user_id}", recommend, json={"user_id": sample.user_id, "k": k}
        ),
        _send(
            f"recommendations for {len(history)} given events", recommend, json={"history": history, "k": k}
        ),
        _send("recommendations for nobody: popular items", recommend, json={"k": k}),
        _send(f"items similar to {sample.item_id}", similar, method="GET", params={"k": k}),
        _send(f"search by the picture of {sample.item_id}", search, files=picture, params={"k": k}),
    )


def _send(name: str, url: str, *, method: str = "POST", **request: Any) -> QueryResult:
    started = time.perf_counter()
    try:
        with requests.Session() as session:
            session.trust_env = False  # HTTP_PROXY is not for a server of our own
            response = session.request(method, url, timeout=_TIMEOUT_SECONDS, **request)
    except requests.RequestException as error:
        raise ClusterError(f"{name}: no answer from {url}: {type(error).__name__}") from None
    milliseconds = 1000 * (time.perf_counter() - started)
    if not response.ok:
        raise ClusterError(
            f"{name}: expected an answer from {url}, got {response.status_code}: {response.text[:200]}"
        )
    return QueryResult(
        name=name, item_ids=tuple(item["id"] for item in response.json()["items"]), milliseconds=milliseconds
    )
