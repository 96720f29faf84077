"""Small snapshots on disk for tests, with the schemas that ingest writes.

snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2], [2, 0]], num_items=3)
snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=40, num_items=20)
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from visrec.config import EVENT_KINDS, Config, EventKind
from visrec.config.base import DEFAULT_WEIGHTS
from visrec.data.facts import InputFacts, SnapshotFacts
from visrec.data.images import ImageFacts, write_images, write_thumbnails
from visrec.data.parts import ROWS_PER_PART
from visrec.data.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, SEQUENCES_SCHEMA, USERS_PER_ROW_GROUP
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import global_time_marks, leave_one_out_marks
from visrec.storage import ArtifactStore, Location

HOUR_MS = 3_600_000
START_MS = 1_700_000_000_000


class SnapshotSettings(Config):
    """Config of these snapshots, in the place of an ingest's."""

    made_by: str = "tests/support/snapshots.py"


def make_snapshot(
    workspace: ArtifactStore,
    histories: Sequence[Sequence[int]],
    *,
    num_items: int,
    times: Sequence[Sequence[int]] | None = None,
    kind: EventKind = "click",
    categories: Sequence[Sequence[str]] | None = None,
    images: NDArray[np.uint8] | None = None,
    further_pictures: Sequence[Sequence[int]] | None = None,
    global_time_cuts: tuple[int, int] | None = None,
    users_per_part: int = USERS_PER_ROW_GROUP,
    truth: str | None = None,
    rejections: Sequence[tuple[int, int, int, EventKind]] = (),
    item_ids: Sequence[str] | None = None,
    name: str = "test-snapshot",
) -> Snapshot:
    """Write a snapshot of given histories and point `latest` at it.

    Args:
        workspace: Where to.
        histories: Item indices of each user, oldest first, each item once.
        num_items: Size of the catalogue.
        times: Milliseconds of each event; default: the k-th event of every user k hours after the start.
        kind: Kind of all events.
        categories: Of each item; default: none.
        images: uint8 [I or more, H, W, 3], the main picture of item i in row i; default: 8 x 8 pictures, each of a
            colour of its own.
        further_pictures: Rows of `images` that each item has besides; default: none.
        global_time_cuts: (validation from, test from); default: at 80% and 90% of the events.
        users_per_part: Rows of a file of `sequences.parquet`.
        truth: URI of the truth's folder, for the manifest.
        rejections: Further events (user, item, time, kind) for `interactions.parquet`, of negative kinds.
        item_ids: In natural order; default: i00000 and so on.
        name: Of the artifact.
    """
    when = times or [[START_MS + k * HOUR_MS for k in range(len(h))] for h in histories]
    cuts = global_time_cuts or _cuts(np.array([t for row in when for t in row], np.int64))
    pictures = _plain_pictures(num_items) if images is None else images
    with workspace.create("snapshots", name, config=SnapshotSettings()) as writer:
        ids = item_ids or [f"i{i:05d}" for i in range(num_items)]
        _write_items(writer.staging, histories, ids, categories, further_pictures)
        _write_sequences(writer.staging, histories, when, kind, cuts, users_per_part)
        _write_interactions(writer.staging, histories, when, kind, rejections)
        _write_pictures(writer.staging, pictures)
        writer.counts |= _counts(histories, num_items, len(pictures))
        writer.facts |= _facts(pictures, cuts, truth).to_json()
    workspace.point("snapshots", name)
    assert writer.result is not None
    return Snapshot(writer.result)


def checkerboard_snapshot(
    workspace: ArtifactStore,
    *,
    num_users: int = 40,
    num_items: int = 20,
    group_sizes: tuple[int, int] | None = None,
    seed: int = 0,
    image_size: int = 8,
) -> Snapshot:
    """Two groups: even users click all red items, odd users all blue ones, each user in an order of its own.

    The held-out item is the one item of the user's colour that is not in the history: a model that has learned the
    groups reaches NDCG 1 in leave-one-out. Even items are red and odd ones blue; with `group_sizes` the first
    `group_sizes[0]` are red.
    """
    rng = np.random.default_rng(seed)
    red = np.arange(num_items) % 2 == 0 if group_sizes is None else np.arange(num_items) < group_sizes[0]
    groups = [np.flatnonzero(red), np.flatnonzero(~red)]
    histories = [rng.permutation(groups[u % 2]).tolist() for u in range(num_users)]
    images = rng.integers(0, 60, (num_items, image_size, image_size, 3)).astype(np.uint8)
    images[red, ..., 0] += 180
    images[~red, ..., 2] += 180
    categories = [["red"] if is_red else ["blue"] for is_red in red]
    return make_snapshot(workspace, histories, num_items=num_items, categories=categories, images=images)


def sequences_of(
    histories: Sequence[Sequence[int]], marks: Sequence[Sequence[int]] | None = None
) -> Sequences:
    """A block in memory, without a snapshot: clicks an hour apart, weight 1, marked 0 without `marks`."""
    lengths = [len(h) for h in histories]
    num_events = sum(lengths)
    places = [k for length in lengths for k in range(length)]
    flat = [m for row in marks for m in row] if marks is not None else [0] * num_events
    return Sequences(
        user_index=np.arange(len(histories), dtype=np.int32),
        offsets=np.cumsum([0, *lengths]).astype(np.int64),
        items=np.array([i for h in histories for i in h], np.int32),
        kinds=np.full(num_events, EVENT_KINDS.index("click"), np.int8),
        times=START_MS + np.array(places, np.int64) * HOUR_MS,
        weights=np.ones(num_events, np.float32),
        marks=np.array(flat, np.int8),
    )


def _counts(histories: Sequence[Sequence[int]], num_items: int, num_images: int) -> dict[str, float]:
    num_events = sum(map(len, histories))
    return {
        "num_items": num_items,
        "num_users": len(histories),
        "num_images": num_images,
        "num_interactions": num_events,
        "num_positives": num_events,
        "num_rows_read": num_events,
        "num_rejected_rows": 0,
        "num_rejected_images": 0,
    }


def _facts(pictures: NDArray[np.uint8], cuts: tuple[int, int], truth: str | None) -> SnapshotFacts:
    pixels = pictures.reshape(-1, 3) / 255
    return SnapshotFacts(
        images=ImageFacts(
            height=pictures.shape[1],
            width=pictures.shape[2],
            mean=tuple(pixels.mean(0).tolist()),
            std=tuple(np.maximum(pixels.std(0), 0.05).tolist()),
        ),
        input=InputFacts(interactions="made in a test", truth=truth),
        global_time_cuts=cuts,
        event_weights=DEFAULT_WEIGHTS,
    )


def _cuts(times: NDArray[np.int64]) -> tuple[int, int]:
    ordered = np.sort(times)
    return int(ordered[int(0.8 * len(ordered))]), int(ordered[int(0.9 * len(ordered))])


def _plain_pictures(num_items: int) -> NDArray[np.uint8]:
    colours = np.random.default_rng(0).integers(0, 256, (num_items, 1, 1, 3))
    return np.broadcast_to(colours, (num_items, 8, 8, 3)).astype(np.uint8)


def _write_items(
    folder: Location,
    histories: Sequence[Sequence[int]],
    item_ids: Sequence[str],
    categories: Sequence[Sequence[str]] | None,
    further_pictures: Sequence[Sequence[int]] | None,
) -> None:
    num_items = len(item_ids)
    flat = np.array([i for h in histories for i in h], np.int64)
    columns = {
        "item_index": np.arange(num_items, dtype=np.int32),
        "item_id": list(item_ids),
        "image_row": np.arange(num_items, dtype=np.int32),
        "more_image_rows": further_pictures or [[]] * num_items,
        "title": [f"Item {i}" for i in range(num_items)],
        "categories": [[]] * num_items if categories is None else [list(names) for names in categories],
        "price": np.linspace(1, 10, num_items),
        "created_at": np.full(num_items, START_MS),
        "available": [True] * num_items,
        "num_positives": np.bincount(flat, minlength=num_items),
    }
    _write_table(folder / "items.parquet", columns, ITEMS_SCHEMA)


def _write_sequences(
    folder: Location,
    histories: Sequence[Sequence[int]],
    times: Sequence[Sequence[int]],
    kind: EventKind,
    cuts: tuple[int, int],
    users_per_part: int,
) -> None:
    target = (folder / "sequences.parquet").make_dirs()
    code, weight = EVENT_KINDS.index(kind), DEFAULT_WEIGHTS[kind]
    for part, start in enumerate(range(0, len(histories), users_per_part)):
        users = range(start, min(start + users_per_part, len(histories)))
        columns = {
            "user_index": list(users),
            "user_id": [f"u{u:05d}" for u in users],
            "items": [list(histories[u]) for u in users],
            "kinds": [[code] * len(histories[u]) for u in users],
            "times": [list(times[u]) for u in users],
            "weights": [[weight] * len(histories[u]) for u in users],
            "leave_one_out": [leave_one_out_marks(len(histories[u])).tolist() for u in users],
            "global_time": [global_time_marks(np.array(times[u], np.int64), *cuts).tolist() for u in users],
        }
        _write_table(target / f"part-{part:05d}.parquet", columns, SEQUENCES_SCHEMA)


def _write_interactions(
    folder: Location,
    histories: Sequence[Sequence[int]],
    times: Sequence[Sequence[int]],
    kind: EventKind,
    rejections: Sequence[tuple[int, int, int, EventKind]],
) -> None:
    target = (folder / "interactions.parquet").make_dirs()
    events = [(u, i, t, kind) for u, h in enumerate(histories) for i, t in zip(h, times[u], strict=True)]
    events = sorted([*events, *rejections], key=lambda event: (event[0], event[2], event[1]))
    users, items, when, kinds = (list(column) for column in zip(*events, strict=True))
    columns = {
        "user_index": users,
        "item_index": items,
        "kind": [EVENT_KINDS.index(k) for k in kinds],
        "weight": [DEFAULT_WEIGHTS[k] for k in kinds],
        "time": when,
        "position": [None] * len(events),
        "session_id": [None] * len(events),
    }
    _write_table(target / "part-00000.parquet", columns, INTERACTIONS_SCHEMA)


def _write_table(location: Location, columns: dict[str, Any], schema: pa.Schema) -> None:
    pq.write_table(pa.table(columns, schema=schema), location.path, filesystem=location.filesystem)


def _write_pictures(folder: Location, pictures: NDArray[np.uint8]) -> None:
    images, thumbnails = (folder / "images").make_dirs(), (folder / "thumbnails").make_dirs()
    for part, start in enumerate(range(0, len(pictures), ROWS_PER_PART)):
        block = pictures[start : start + ROWS_PER_PART]
        write_images(images, part, block)
        write_thumbnails(thumbnails, part, [_jpeg(picture) for picture in block])


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=90)
    return stream.getvalue()
