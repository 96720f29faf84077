from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs as pafs

from visrec.ingestion.chunks import SourceLines
from visrec.ingestion.cleaning import CLEAN_SCHEMA, CleanBlock
from visrec.ingestion.stages.global_stats import GlobalStats
from visrec.ingestion.stages.write import WrittenCounts, write_block
from visrec.storage import Location

SOURCE_LINES = SourceLines(files=("log.csv",), lines_before=np.array([0]))


def _block() -> CleanBlock:
    # user, item, kind, weight, time, first positive
    rows = [
        (0, 1, 1, 1.0, 10, True),
        (0, 3, 1, 1.0, 20, True),
        (0, 0, 0, 0.0, 25, False),
        (0, 1, 6, 4.0, 30, False),
        (0, 2, 1, 1.0, 40, True),
        (1, 0, 9, -1.0, 50, False),
        (2, 3, 1, 1.0, 60, True),
    ]
    names = ("user", "item", "kind", "weight", "time", "first_positive")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    more = {"position": [None] * 7, "session_id": [None] * 7, "chunk": [0] * 7, "line": list(range(7))}
    return CleanBlock(user_ids=pa.array(["a", "b", "c"]), events=pa.table({**columns, **more}, CLEAN_SCHEMA))


def _write(
    stats: GlobalStats, folder: Path
) -> tuple[WrittenCounts, list[dict[str, object]], list[dict[str, object]]]:
    for name in ("interactions.parquet", "sequences.parquet", "quarantine.parquet"):
        (folder / name).mkdir()
    # not the plain local filesystem: nothing may depend on it
    elsewhere = Location(
        filesystem=pafs.SubTreeFileSystem(str(folder.parent), pafs.LocalFileSystem()), path=folder.name
    )
    written = write_block(_block(), 0, stats, SOURCE_LINES, elsewhere)
    tables = [pq.read_table(folder / name) for name in ("interactions.parquet", "sequences.parquet")]
    return written, tables[0].to_pylist(), tables[1].to_pylist()


def test_all_users_are_kept_without_a_core(tmp_path: Path) -> None:
    stats = GlobalStats(
        k=0,
        kept_items=np.ones(4, bool),
        num_positives=np.zeros(4, np.int64),
        first_user=[7],
        num_users=10,
        cuts=(20, 40),
    )
    written, interactions, sequences = _write(stats, tmp_path)
    assert written == WrittenCounts(num_interactions=7, num_positives=4, num_below_core=0, num_empty_users=1)
    assert [(r["user_index"], r["item_index"], r["time"]) for r in interactions][:2] == [
        (7, 1, 10),
        (7, 3, 20),
    ]
    assert [s["user_index"] for s in sequences] == [7, 8, 9]
    assert [s["user_id"] for s in sequences] == ["a", "b", "c"]
    assert sequences[0] == {
        "user_index": 7,
        "user_id": "a",
        "items": [1, 3, 2],
        "kinds": [1, 1, 1],
        "times": [10, 20, 40],
        "weights": [1.0, 1.0, 1.0],
        "leave_one_out": [0, 1, 2],
        "global_time": [0, 1, 2],
    }
    assert (sequences[1]["items"], sequences[1]["leave_one_out"]) == ([], [])  # negatives only
    assert (sequences[2]["items"], sequences[2]["leave_one_out"]) == ([3], [0])
    assert not list((tmp_path / "quarantine.parquet").iterdir())


def test_events_outside_the_core_are_in_the_quarantine(tmp_path: Path) -> None:
    kept_items = np.array([False, True, False, True])
    written, interactions, sequences = _write(
        GlobalStats(
            k=2,
            kept_items=kept_items,
            num_positives=np.zeros(4, np.int64),
            first_user=[0],
            num_users=1,
            cuts=(0, 0),
        ),
        tmp_path,
    )
    assert written == WrittenCounts(num_interactions=3, num_positives=2, num_below_core=4, num_empty_users=0)
    assert [(r["user_index"], r["item_index"]) for r in interactions] == [(0, 0), (0, 1), (0, 0)]
    assert [(s["user_id"], s["items"]) for s in sequences] == [("a", [0, 1])]
    removed = pq.read_table(tmp_path / "quarantine.parquet").to_pylist()
    assert [(r["location"], r["reason"]) for r in removed] == [
        (f"log.csv:{line}", "below_k_core") for line in (2, 4, 5, 6)
    ]
