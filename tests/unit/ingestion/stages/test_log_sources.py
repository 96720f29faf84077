"""Several logs of one snapshot: each found, cut and read by its own settings."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.shop import START, Shop

from visrec.config import EVENT_KINDS
from visrec.config.ingest import CleaningConfig
from visrec.errors import DataError
from visrec.ingestion.chunks import SourceLines
from visrec.ingestion.events import check_events
from visrec.ingestion.files import find_inputs
from visrec.ingestion.formats import csv_rows
from visrec.ingestion.stages.read import event_rules, open_logs
from visrec.storage import content_id


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A log of clicks with kinds, and one of purchases with other columns."""
    shop = Shop(root=tmp_path / "shop")
    (shop.root / "bought.csv").write_text(f"id,who,what,when\n1,u1,i1,{START}\n")
    shop.config["interactions"] = [
        {"path": str(shop.root / "log.csv")},
        {
            "path": str(shop.root / "bought.csv"),
            "columns": {"user_id": "who", "item_id": "what", "time": "when", "kind": None, "event_id": "id"},
            "default_kind": "purchase",
        },
    ]
    return shop


def test_each_log_has_its_files_and_its_rules(shop: Shop) -> None:
    config = shop.job().ingest
    first, second = open_logs(config, find_inputs(config))
    assert (first.setting, second.setting) == ("ingest.interactions.0", "ingest.interactions.1")
    assert [c.file.location.name for c in (*first.chunks, *second.chunks)] == ["log.csv", "bought.csv"]
    rules = event_rules([first, second], CleaningConfig())
    assert [EVENT_KINDS[r.default_kind] for r in rules] == ["click", "purchase"]
    assert rules[0].max_time == rules[1].max_time
    raw = csv_rows(f"1,u1,i1,{START}\n".encode(), second.chunks[0].fields, second.columns)
    events, _ = check_events(raw, rules[1], pa.array(["i1"]), chunk=1)
    (event,) = events.to_pylist()
    assert (event["kind"], event["event_id"]) == (EVENT_KINDS.index("purchase"), "1:1")  # of log 1, its id 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"path": None},
            r"^ingest\.interactions\.1\.path: expected a file, a folder or a glob, got nothing$",
        ),
        (
            {"path": "nowhere.csv"},
            r"^ingest\.interactions\.1\.path: expected a file, .* nothing at nowhere\.csv$",
        ),
        (
            {"columns": {"user_id": "whom", "item_id": "what", "time": "when", "kind": None}},
            r"^ingest\.interactions\.1\.columns\.user_id: expected a column of bought\.csv \(id, who, what, when\), "
            r"got 'whom'; did you mean 'who'\?$",
        ),
    ],
)
def test_a_mistake_in_the_second_log_names_its_setting(
    shop: Shop, change: dict[str, Any], message: str
) -> None:
    shop.config["interactions"][1] |= change
    config = shop.job().ingest
    with pytest.raises(DataError, match=message):
        open_logs(config, find_inputs(config))


def test_an_empty_second_log(shop: Shop) -> None:
    (shop.root / "bought.csv").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"^ingest\.interactions\.1\.path: expected a log, .*bought\.csv is empty$"
    ):
        find_inputs(shop.job().ingest)


def test_times_of_the_second_log_that_do_not_fit_its_unit(shop: Shop) -> None:
    shop.config["interactions"][1]["time_unit"] = "iso8601"
    config = shop.job().ingest
    rules = event_rules(open_logs(config, find_inputs(config)), CleaningConfig())[1]
    raw = csv_rows(
        b"u1,i1,1\n", ("user_id", "item_id", "time"), {n: n for n in ("user_id", "item_id", "time")}
    )
    raw.columns["time"] = pa.array([1])
    _, rejects = check_events(raw, rules, pa.array(["i1"]), chunk=1)
    assert rejects.column("detail").to_pylist() == [
        "1 is no ISO 8601 time and no compact date (8, 12 or 14 digits); for numbers set "
        "ingest.interactions.1.time_unit: auto, s, ms, us, ns or excel"
    ]


def test_a_list_of_one_log_is_that_log(shop: Shop) -> None:
    shop.config["interactions"] = shop.config["interactions"][:1]
    listed = shop.job().ingest
    shop.config["interactions"] = shop.config["interactions"][0]
    alone = shop.job().ingest
    assert content_id(listed) == content_id(alone)
    assert find_inputs(listed).fingerprint == find_inputs(alone).fingerprint
    assert event_rules(open_logs(alone, find_inputs(alone)), CleaningConfig())[0].event_id_prefix == ""


def test_a_file_in_two_logs_begins_at_its_first_line_in_each(shop: Shop) -> None:
    shop.config["interactions"][1] = shop.config["interactions"][0]
    config = shop.job().ingest
    first, second = open_logs(config, find_inputs(config))
    assert SourceLines.of([*first.chunks, *second.chunks], [241, 241]).lines_before.tolist() == [0, 0]
