import pytest

from visrec.errors import DataError
from visrec.ingest.quarantine import (
    QUARANTINE_SCHEMA,
    Reason,
    Reject,
    Tally,
    check_share,
    rejects_table,
    tally,
)


def _tally() -> Tally:
    found = tally(
        [
            Reject(source="interactions", location="a.csv:2", reason=Reason.BAD_TIME, detail="soon"),
            Reject(source="interactions", location="a.csv:3", reason=Reason.BAD_TIME, detail="later"),
            Reject(source="interactions", location="a.csv:4", reason=Reason.MISSING_USER),
        ]
    )
    found.add(Reason.DUPLICATE, 50, "a.csv:9")
    return found


def test_duplicates_are_no_dirt() -> None:
    assert _tally().dirt == 3
    check_share(_tally(), 10, limit=0.3, what="log rows", setting="x")


def test_the_error_says_all_there_is_to_know() -> None:
    with pytest.raises(DataError) as caught:
        check_share(_tally(), 10, limit=0.25, what="log rows", setting="ingest.cleaning.max_rejected_share")
    assert str(caught.value) == (
        "3 of 10 log rows (30.0%) are refused, the limit is 25.0% (ingest.cleaning.max_rejected_share); "
        "most frequent: bad_time 2 (e.g. a.csv:2: soon); missing_user 1 (e.g. a.csv:4)"
    )


def test_tallies_add_up_and_keep_the_first_example() -> None:
    total = _tally()
    total.include(
        tally([Reject(source="interactions", location="b.csv:1", reason=Reason.BAD_TIME, detail="x")])
    )
    assert total.counts[Reason.BAD_TIME] == 3
    assert total.examples[Reason.BAD_TIME] == "a.csv:2: soon"


def test_rejects_as_rows() -> None:
    table = rejects_table(
        [Reject(source="items", location="i.csv:7", reason=Reason.DUPLICATE_ITEM, detail="i1")]
    )
    assert table.to_pylist() == [
        {"source": "items", "location": "i.csv:7", "reason": "duplicate_item", "detail": "i1"}
    ]
    assert rejects_table([]).schema == QUARANTINE_SCHEMA
