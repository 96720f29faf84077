from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from visrec.data.schemas import QUARANTINE_SCHEMA
from visrec.errors import DataError
from visrec.ingestion.chunks import SourceLines
from visrec.ingestion.quarantine import (
    REASON_CODES,
    REJECT_SCHEMA,
    Reason,
    Reject,
    RejectCounts,
    RejectSummary,
    check_rejected_share,
    write_rejected_rows,
    write_rejects,
)
from visrec.storage import Location


def _counts() -> RejectCounts:
    found = RejectCounts.of(
        [
            Reject(source="interactions", location="a.csv:2", reason=Reason.BAD_TIME, detail="soon"),
            Reject(source="interactions", location="a.csv:3", reason=Reason.BAD_TIME, detail="later"),
            Reject(source="interactions", location="a.csv:4", reason=Reason.MISSING_USER),
        ]
    )
    found.add(Reason.DUPLICATE, 50, "a.csv:9", "")
    return found


def test_duplicates_do_not_count_as_bad() -> None:
    assert _counts().num_bad == 3
    check_rejected_share(_counts(), 10, limit=0.3, what="log rows", setting="x")


def test_the_error_has_share_limit_setting_and_examples() -> None:
    with pytest.raises(DataError) as caught:
        check_rejected_share(
            _counts(), 10, limit=0.25, what="log rows", setting="ingest.cleaning.max_rejected_share"
        )
    assert str(caught.value) == (
        "3 of 10 log rows (30.0%) are rejected, the limit is 25.0% (ingest.cleaning.max_rejected_share); "
        "most frequent: bad_time 2 (e.g. a.csv:2: soon); missing_user 1 (e.g. a.csv:4)"
    )


def test_counts_add_up_and_keep_the_first_example() -> None:
    total = _counts()
    total.include(
        RejectCounts.of(
            [Reject(source="interactions", location="b.csv:1", reason=Reason.BAD_TIME, detail="x")]
        )
    )
    assert total.counts[Reason.BAD_TIME] == 3
    assert total.examples[Reason.BAD_TIME] == "a.csv:2: soon"


def test_rejects_are_written_with_their_columns_also_where_there_are_none(tmp_path: Path) -> None:
    folder = Location.parse(tmp_path)
    write_rejects(
        folder,
        "catalogue",
        [Reject(source="items", location="i.csv:7", reason=Reason.DUPLICATE_ITEM, detail="i1")],
    )
    assert pq.read_table(tmp_path / "catalogue.parquet").to_pylist() == [
        {"source": "items", "location": "i.csv:7", "reason": "duplicate_item", "detail": "i1"}
    ]
    write_rejects(folder, "none", [])
    assert pq.read_table(tmp_path / "none.parquet").schema.equals(QUARANTINE_SCHEMA)


def test_rejected_rows_are_summarised_and_written_with_file_and_line(tmp_path: Path) -> None:
    reasons = [Reason.BAD_TIME, Reason.MISSING_USER, Reason.BAD_TIME]
    columns = {
        "chunk": [0, 1, 1],
        "line": [4, 1, 2],
        "reason": [REASON_CODES[reason] for reason in reasons],
        "detail": ["soon", "", "later"],
    }
    rejects = pa.table(columns, schema=REJECT_SCHEMA)
    source_lines = SourceLines(files=("a.csv", "a.csv"), lines_before=np.array([0, 10]))
    counts = RejectSummary.of(rejects).resolve(source_lines)
    assert counts.counts == {Reason.BAD_TIME: 2, Reason.MISSING_USER: 1}
    assert counts.examples == {Reason.BAD_TIME: "a.csv:4: soon", Reason.MISSING_USER: "a.csv:11"}
    write_rejected_rows(Location.parse(tmp_path), "read", rejects, source_lines)
    rows = pq.read_table(tmp_path / "read.parquet").to_pylist()
    assert [(row["location"], row["reason"], row["detail"]) for row in rows] == [
        ("a.csv:4", "bad_time", "soon"),
        ("a.csv:11", "missing_user", ""),
        ("a.csv:12", "bad_time", "later"),
    ]
    assert {row["source"] for row in rows} == {"interactions"}
    write_rejected_rows(Location.parse(tmp_path), "none", rejects.slice(0, 0), source_lines)
    assert not (tmp_path / "none.parquet").exists()
