"""Ingest end to end: formats, reuse of snapshots, killed runs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from tests.support.shop import NUM_ITEMS, NUM_USERS, Shop, good_rows, picture
from tests.support.snapshots import make_snapshot

from visrec.cluster.tasks import fetch, in_order, run_tasks
from visrec.config import IngestWorkloadConfig, SplitConfig, dump_yaml
from visrec.data.schemas import INTERACTIONS_SCHEMA, ITEMS_SCHEMA, QUARANTINE_SCHEMA, SEQUENCES_SCHEMA
from visrec.data.snapshot import Snapshot
from visrec.data.splits import TEST
from visrec.errors import ClusterError, DataError
from visrec.storage import ArtifactStore
from visrec.workloads.ingest import ingest

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("local_cluster"),
]


def _run(job: IngestWorkloadConfig) -> tuple[Snapshot, bool]:
    """The snapshot, and whether it was found instead of made."""
    console = Console(record=True, file=StringIO())
    snapshot = ingest(job, console=console)
    return snapshot, "nothing to do" in console.export_text()


def _ingest(job: IngestWorkloadConfig) -> Snapshot:
    snapshot, found = _run(job)
    assert not found
    snapshot.artifact.verify()
    return snapshot


def _sequences(snapshot: Snapshot) -> dict[str, list[tuple[str, int]]]:
    """Items and times of each user."""
    items = snapshot.items.column("item_id").to_pylist()
    users = [user for block in snapshot.user_ids() for user in block.to_pylist()]
    found = {}
    for block in snapshot.sequences(SplitConfig()):
        for k, user in enumerate(block.user_index):
            events = slice(block.offsets[k], block.offsets[k + 1])
            names = [items[i] for i in block.items[events]]
            found[users[user]] = list(zip(names, block.times[events].tolist(), strict=True))
    return found


def _expected() -> dict[str, list[tuple[str, int]]]:
    expected: dict[str, list[tuple[str, int]]] = {}
    for user, item, _, seconds in good_rows():
        expected.setdefault(user, []).append((item, seconds * 1000))
    return expected


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_same_snapshot(tmp_path: Path, form: str) -> None:
    shop = Shop(root=tmp_path / "shop")
    if form == "jsonl":
        shop.use_jsonl()
    if form == "parquet":
        shop.use_parquet()
    snapshot = _ingest(shop.job())
    assert _sequences(snapshot) == _expected()
    counts = snapshot.artifact.manifest.counts
    assert counts["num_rows_read"] == counts["num_interactions"] == 8 * NUM_USERS
    assert (counts["num_users"], counts["num_items"], counts["num_images"]) == (
        NUM_USERS,
        NUM_ITEMS,
        NUM_ITEMS,
    )
    colours = snapshot.images.read(snapshot.image_rows)[:, 4, 4, 0]
    items = [int(item[1:]) for item in snapshot.items.column("item_id").to_pylist()]
    assert colours.tolist() == [20 * item for item in items]
    assert snapshot.thumbnails.read(NUM_ITEMS - 1)[:2] == b"\xff\xd8"
    times = sorted(t for events in _expected().values() for _, t in events)
    cuts = snapshot.artifact.manifest.facts["global_time_cuts"]
    assert cuts == [times[int(0.8 * len(times))], times[int(0.9 * len(times))]]
    marks = np.concatenate([b.marks for b in snapshot.sequences(SplitConfig())])
    assert (marks == TEST).sum() == NUM_USERS


def test_two_logs_are_merged_in_time_order_like_one_of_the_same_rows(tmp_path: Path) -> None:
    """Views as CSV with times as text, purchases as Parquet with timestamps; ids of events begin at 0 in both."""
    kinds = ["view", "purchase"]
    rows = [(user, item, kinds[k % 2], seconds) for k, (user, item, _, seconds) in enumerate(good_rows())]
    repeated = rows[0]  # a view, which the second log holds too
    one = Shop(root=tmp_path / "one")
    one.write_log([*rows, repeated])
    two = Shop(root=tmp_path / "two")
    views = ["id;visitor;product;when"]
    for k, (user, item, _, seconds) in enumerate(rows[::2]):
        views.append(f"{k};{user};{item};{datetime.fromtimestamp(seconds, UTC).isoformat()}")
    (two.root / "views.csv").write_text("\n".join(views))
    users, items, names, seconds_of = zip(*rows[1::2], repeated, strict=True)
    bought = {
        "id": range(len(users)),
        "who": users,
        "what": items,
        "how": ["seen" if name == "view" else "buy" for name in names],
        "at": pa.array(seconds_of, pa.timestamp("s")),
    }
    pq.write_table(pa.table(bought), two.root / "bought.parquet", row_group_size=50)
    two.config["interactions"] = [
        {
            "path": str(two.root / "views.csv"),
            "columns": {
                "user_id": "visitor",
                "item_id": "product",
                "time": "when",
                "kind": None,
                "event_id": "id",
            },
            "default_kind": "view",
        },
        {
            "path": str(two.root / "bought.parquet"),
            "columns": {"user_id": "who", "item_id": "what", "time": "at", "kind": "how", "event_id": "id"},
            "kind_names": {"seen": "view", "buy": "purchase"},
        },
    ]
    together, merged = _ingest(one.job()), _ingest(two.job())
    assert _sequences(merged) == _sequences(together) == _expected()
    for name in ("items.parquet", "sequences.parquet", "interactions.parquet"):
        tables = [pq.read_table(f"{s.artifact.location}/{name}") for s in (together, merged)]
        assert tables[0].equals(tables[1]), name
    (row,) = pq.read_table(f"{merged.artifact.location}/quarantine.parquet").to_pylist()
    assert (row["reason"], row["location"]) == ("duplicate", f"{two.root}/bought.parquet:{len(users)}")
    where = merged.artifact.manifest.facts["input"]["interactions"]
    assert where == [f"{two.root}/views.csv", f"{two.root}/bought.parquet"]


def test_files_have_the_schemas_of_snapshots_also_those_made_for_tests(tmp_path: Path) -> None:
    made = make_snapshot(ArtifactStore(str(tmp_path / "made")), [[0, 1, 2]], num_items=3).artifact.location
    real = _ingest(Shop(root=tmp_path / "shop").job()).artifact.location
    schemas = {
        "items.parquet": ITEMS_SCHEMA,
        "sequences.parquet": SEQUENCES_SCHEMA,
        "interactions.parquet": INTERACTIONS_SCHEMA,
    }
    for name, schema in schemas.items():
        assert pq.read_table(f"{real}/{name}").schema.equals(schema), name
        assert pq.read_table(f"{made}/{name}").schema.equals(schema), name
    assert pq.read_table(f"{real}/quarantine.parquet").schema.equals(QUARANTINE_SCHEMA)


def test_the_same_input_is_found_and_another_one_is_not(tmp_path: Path) -> None:
    shop = Shop(root=tmp_path / "shop")
    first, first_found = _run(shop.job())
    again, again_found = _run(shop.job())
    assert (first_found, again_found) == (False, True)
    assert again.artifact.manifest == first.artifact.manifest
    elsewhere, elsewhere_found = _run(shop.job("other-workspace"))
    assert not elsewhere_found
    assert elsewhere.artifact.manifest.files == first.artifact.manifest.files  # byte for byte
    shop.config["cleaning"]["merge_seconds"] = 7.0
    assert not _run(shop.job())[1]
    (shop.root / "log.csv").write_bytes((shop.root / "log.csv").read_bytes() + b"u1,i1,click,1700000000\n")
    changed, changed_found = _run(shop.job())
    assert not changed_found
    workspace = ArtifactStore(str(shop.root / "workspace"))
    assert len(workspace.names("snapshots")) == 3
    assert workspace.find("snapshots").name == changed.name


def test_items_with_several_pictures(tmp_path: Path) -> None:
    shop = Shop(root=tmp_path / "shop")
    images = shop.root / "images"
    for item, names in {0: ("1", "2"), 1: ("1", "2", "3")}.items():
        (images / f"i{item}").mkdir()
        for k, name in enumerate(names):
            (images / f"i{item}" / f"{name}.png").write_bytes(picture(10 - k))
    (images / "i0" / "1.png").write_bytes(b"broken")  # a further one
    (images / "i1.png").write_bytes(b"broken")  # the main one
    (images / "i2.png").write_bytes(b"broken")  # the only one
    shop.config["cleaning"]["max_rejected_images_share"] = 0.5
    shop.config["images"]["max_per_item"] = 3
    snapshot = _ingest(shop.job())
    ids = snapshot.items.column("item_id").to_pylist()
    assert "i2" not in ids and len(ids) == NUM_ITEMS - 1
    owner, rows = snapshot.picture_rows.gather(np.arange(len(ids)))
    colours = snapshot.images.read(rows)[:, 4, 4, 0] // 20
    shown = {item: colours[owner == k].tolist() for k, item in enumerate(ids)}
    assert shown == {
        **{f"i{k}": [k] for k in range(3, NUM_ITEMS)},
        "i0": [0, 9],
        "i1": [10, 9],
    }
    assert snapshot.thumbnails.read(int(snapshot.image_rows[0]))[:2] == b"\xff\xd8"
    counts = snapshot.artifact.manifest.counts
    assert (counts["num_images"], counts["num_rejected_images"], counts["num_left_out_images"]) == (16, 3, 1)


def test_tasks_tell_a_users_mistake_from_a_fault_of_ours() -> None:
    def work(number: int) -> int:
        if number == 7:
            raise DataError("a mistake")
        if number == 8:
            raise FileNotFoundError("/only/here")
        return number * number

    def letters() -> Iterator[str]:
        yield "a"
        yield "b"

    values = in_order((n, fetch(r)) for n, r in run_tasks(work, ((k,) for k in range(5))))
    assert values == [0, 1, 4, 9, 16]
    ((_, references),) = run_tasks(letters, [()])
    assert [fetch(r) for r in references] == ["a", "b"]
    for number, error, message in ((7, DataError, "^a mistake$"), (8, ClusterError, "every node reaches")):
        ((_, reference),) = run_tasks(work, [(number,)])
        with pytest.raises(error, match=message):
            fetch(reference)


def test_k_core_takes_items_out_of_the_catalogue(tmp_path: Path) -> None:
    shop = Shop(root=tmp_path / "shop")
    rare = [("u0", "i0", "click", 1_700_000_900), ("new", "i1", "click", 1_700_000_000)]
    shop.write_log([row for row in good_rows() if row[1] != "i0"] + rare)
    shop.config["cleaning"]["k_core"] = 3
    snapshot = _ingest(shop.job())
    assert "i0" not in snapshot.items.column("item_id").to_pylist()
    assert "new" not in _sequences(snapshot)
    assert snapshot.num_items == NUM_ITEMS - 1
    assert snapshot.artifact.manifest.facts["reasons"] == {"below_k_core": 2}
    removed = pq.read_table(f"{snapshot.artifact.location}/quarantine.parquet").to_pylist()
    lines = (shop.root / "log.csv").read_text().splitlines()
    assert sorted(lines[int(row["location"].rsplit(":", 1)[1]) - 1].split(",")[0] for row in removed) == [
        "new",
        "u0",
    ]


def test_killed_half_way_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    shop = Shop(root=tmp_path / "shop")
    job = shop.job()
    config = tmp_path / "ingest.yaml"
    config.write_text(dump_yaml(job))
    command = [str(Path(sys.executable).parent / "visrec"), "ingest", "--config", str(config)]
    snapshots = shop.root / "workspace" / "snapshots"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(snapshots.glob(".*.partial-*/images/part-*")):
        assert process.poll() is None, "the ingest ended before it could be killed"
        assert time.monotonic() < deadline, "no picture was written in time"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    workspace = ArtifactStore(str(shop.root / "workspace"))
    assert workspace.names("snapshots") == []
    assert workspace.pointed("snapshots") is None
    (left,) = snapshots.iterdir()
    assert left.name.startswith(".")

    two_days_ago = time.time() - 2 * 86_400
    for path in [*left.rglob("*"), left]:
        os.utime(path, (two_days_ago, two_days_ago))
    assert _sequences(_ingest(job)) == _expected()
    assert not left.exists()  # what was left of the killed one is cleared away
