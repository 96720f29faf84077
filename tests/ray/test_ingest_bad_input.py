"""Ingest of bad input: a clear error or a quarantine row, never a traceback, nothing half-written."""

import io
import struct
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.support.shop import NUM_ITEMS, START, Shop, good_rows

from visrec.data.snapshot import Snapshot
from visrec.errors import DataError
from visrec.storage import ArtifactStore
from visrec.workloads.ingest import ingest

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("local_cluster"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(root=tmp_path / "shop")


def _ingest(shop: Shop) -> tuple[Snapshot, list[dict[str, str]]]:
    """The snapshot and its quarantine."""
    snapshot = ingest(shop.job())
    rows = pq.read_table(f"{snapshot.artifact.location}/quarantine.parquet").to_pylist()
    reasons = Counter(row["reason"] for row in rows)
    assert snapshot.facts.reasons == dict(reasons)
    for row in rows:
        row["location"] = row["location"].rsplit("/", 1)[-1]
    return snapshot, sorted(rows, key=lambda row: (row["location"], row["reason"]))


def _refuse(shop: Shop, message: str) -> None:
    """The ingest ends with an error of one line, and leaves no files."""
    with pytest.raises(DataError, match=message) as caught:
        ingest(shop.job())
    assert "\n" not in str(caught.value)
    workspace = ArtifactStore(str(shop.root / "workspace"))
    assert workspace.names("snapshots") == []
    assert not list((shop.root / "workspace").glob("snapshots/.*"))


def _picture(shop: Shop, item: int, data: bytes) -> None:
    (shop.root / "images" / f"i{item}.png").write_bytes(data)


def _encode(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("section", "path", "message"),
    [
        ("interactions", "nowhere.csv", r"^ingest\.interactions\.path: expected a file, .* found nothing at"),
        ("interactions", "nowhere/*.csv", r"^ingest\.interactions\.path: expected a file"),
        ("items", "nowhere.csv", r"^ingest\.items\.path: expected a file"),
        ("images", "nowhere", r"^ingest\.images\.path: expected a folder, found none at .*nowhere$"),
    ],
)
def test_missing_folders_and_files(shop: Shop, section: str, path: str, message: str) -> None:
    shop.config[section]["path"] = str(shop.root / path)
    _refuse(shop, message)


def test_empty_logs(shop: Shop) -> None:
    (shop.root / "log.csv").write_bytes(b"")
    _refuse(shop, r"^ingest\.interactions\.path: expected a log, .*log\.csv is empty$")
    shop.write_log([])
    _refuse(shop, r"^ingest\.interactions\.path: expected rows in .*log\.csv, found none$")


def test_a_log_without_a_valid_row(shop: Shop) -> None:
    shop.config["cleaning"]["max_rejected_share"] = 1.0
    shop.write_log([("", "i1", "click", START), ("u", "i1", "clikc", START), ("v", "i1", "clikc", START)])
    _refuse(
        shop,
        r"expected a valid row in .*, all 3 are rejected; .*unknown_kind 2 \(e\.g\. .*log\.csv:3: clikc\)",
    )


def test_a_bad_second_log_is_an_error_however_small_it_is(shop: Shop) -> None:
    shop.write_log(good_rows())
    first = shop.config["interactions"]
    more = {"path": str(shop.root / "more.csv"), "time_unit": "iso8601"}
    shop.config["interactions"] = [first, more]
    log = shop.root / "more.csv"
    log.write_text("user_id,item_id,kind,time\n")
    _refuse(shop, r"^ingest\.interactions\.1\.path: expected rows in .*more\.csv, found none$")
    log.write_text(f"user_id,item_id,kind,time\nu1,i1,click,{START}\nu2,i1,click,{START}\n")
    _refuse(
        shop,
        r"^ingest\.interactions\.1: expected a valid row in .*more\.csv, all 2 are rejected; "
        r"most frequent: bad_time 2 \(e\.g\. .*more\.csv:2: 1700000000 is no ISO 8601 time and no compact date ",
    )
    log.write_text(f"user_id,item_id,kind,time\nu1,i1,click,{START}\nu2,i1,click,2023-11-15\n")
    _refuse(
        shop, r"^1 of 2 rows of .*more\.csv \(50\.0%\) are rejected, the limit is 20\.0% .*more\.csv:2: 17"
    )


def test_a_log_of_which_nothing_is_left(shop: Shop) -> None:
    shop.config["cleaning"]["k_core"] = 100
    _refuse(
        shop,
        r"no interaction of 240 rows is left after cleaning and the 100-core \(ingest\.cleaning\.k_core\)",
    )


def test_too_many_bad_rows(shop: Shop) -> None:
    shop.write_log(good_rows(), end=b"u1,i1,click,soon\n" * 70 + b"u2\n" * 20)
    _refuse(
        shop,
        r"^90 of 330 log rows \(27\.3%\) are rejected, the limit is 20\.0% \(ingest\.cleaning\.max_rejected_share\); "
        r"most frequent: bad_time 70 \(e\.g\. .*log\.csv:242: soon is no ISO 8601 time; .*\); "
        r"malformed_row 20 \(e\.g\. .*log\.csv:312: u2\)",
    )


def test_too_many_unknown_items_after_reading(shop: Shop) -> None:
    shop.write_log(good_rows() + [(f"u{k}", "zzz", "click", START) for k in range(100)])
    _refuse(
        shop,
        r"^100 of 340 log rows .* most frequent: unknown_item 100 \(e\.g\. .*: 'zzz' is not in .*items\.csv",
    )


def test_thirty_percent_broken_pictures(shop: Shop) -> None:
    for item in range(4):
        _picture(shop, item, b"broken")
    _refuse(
        shop,
        r"^4 of 12 pictures \(33\.3%\) are rejected, the limit is 20\.0% "
        r"\(ingest\.cleaning\.max_rejected_images_share\); most frequent: image_not_an_image 4 \(e\.g\. .*i0\.png",
    )
    shop.config["cleaning"] = {"max_rejected_images_share": 0.4, "max_rejected_share": 0.5}
    snapshot, rows = _ingest(shop)
    counts = snapshot.artifact.manifest.counts
    assert (snapshot.num_items, counts["num_images"], counts["num_rejected_images"]) == (8, 12, 4)
    assert [r["location"] for r in rows if r["source"] == "images"] == [
        "i0.png",
        "i1.png",
        "i2.png",
        "i3.png",
    ]
    assert {r["reason"] for r in rows if r["source"] == "interactions"} == {"item_without_image"}


def _bomb() -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10**6), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_strange_pictures_are_decoded_and_bad_ones_are_in_the_quarantine(shop: Shop) -> None:
    shop.config["cleaning"] = {"max_rejected_images_share": 0.5, "max_rejected_share": 0.6}
    shop.config["images"]["max_bytes"] = 20_000
    red, blue = Image.new("RGB", (9, 9), (255, 0, 0)), Image.new("RGB", (9, 9), (0, 0, 255))
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 120, 3)).astype(np.uint8))
    _picture(shop, 0, _bomb())
    _picture(shop, 1, _encode(Image.fromarray(np.full((9, 9), 40_000, np.uint16)), "PNG"))
    _picture(shop, 2, _encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    _picture(shop, 3, _encode(red, "GIF", save_all=True, append_images=[blue, blue], duration=9))
    _picture(shop, 4, _encode(noise, "PNG"))
    _picture(shop, 5, _encode(noise.resize((60, 60)), "JPEG")[:-900])
    (shop.root / "images" / "i6.png").unlink()
    snapshot, rows = _ingest(shop)
    assert [(r["location"], r["reason"]) for r in rows if r["source"] == "images"] == [
        ("i0.png", "image_too_many_pixels"),
        ("i4.png", "image_too_large"),
        ("i5.png", "image_truncated"),
        ("i6", "no_image"),
    ]
    ids = snapshot.items.column("item_id").to_pylist()
    assert sorted(ids) == sorted(f"i{k}" for k in range(NUM_ITEMS) if k not in (0, 4, 5, 6))
    pixels = snapshot.images.read(snapshot.image_rows)[:, 4, 4].astype(int)
    shown = dict(zip(ids, pixels.tolist(), strict=True))
    assert shown["i1"] == [156, 156, 156]
    assert np.abs(np.array(shown["i2"]) - (255, 0, 0)).max() < 12
    assert shown["i3"] == [255, 0, 0]
    rejected = [r for r in rows if r["source"] == "interactions"]
    assert {r["reason"] for r in rejected} == {"item_without_image"}
    assert len(rejected) == sum(item in ("i0", "i4", "i5", "i6") for _, item, _, _ in good_rows())


def test_no_item_with_a_picture(shop: Shop) -> None:
    (shop.root / "items.csv").write_text("item_id\nx\ny\n")
    _refuse(
        shop,
        r"^expected items with a picture, found none; most frequent: no_image 2 \(e\.g\. x: no picture of",
    )


def test_unknown_columns(shop: Shop) -> None:
    shop.config["interactions"]["columns"] = {"user_id": "userid"}
    _refuse(
        shop,
        r"^ingest\.interactions\.columns\.user_id: expected a column of log\.csv \(user_id, item_id, kind, time\), "
        r"got 'userid'; did you mean 'user_id'\?$",
    )


def test_a_log_that_is_not_utf8(shop: Shop) -> None:
    (shop.root / "log.csv").write_bytes((shop.root / "log.csv").read_text().encode("utf-32"))
    _refuse(shop, r"^expected UTF-8 or UTF-16 text in .*log\.csv, found UTF-32")


def test_rows_that_are_not_utf8_and_impossible_times(shop: Shop) -> None:
    shop.write_log(good_rows(), end=b"Andr\xe9,i1,click,1700000000\nu1,i1,click,-1700000000\nu1,i2,click,0\n")
    snapshot, rows = _ingest(shop)
    assert [(r["location"], r["reason"], r["detail"].split(" ")[0]) for r in rows] == [
        ("log.csv:242", "not_utf8", "Andr\\xe9"),
        ("log.csv:243", "negative_time", "-1700000000"),
        ("log.csv:244", "impossible_time", "0"),
    ]
    counts = snapshot.artifact.manifest.counts
    assert (counts["num_rows_read"], counts["num_rejected_rows"], counts["num_interactions"]) == (243, 3, 240)


def test_duplicates_bots_and_merged_events_are_counted(shop: Shop) -> None:
    shop.config["cleaning"] = {"bot_events_per_minute": 5}
    bot = [("robot", f"i{k % 12}", "click", START + 60 * minute + k) for minute in range(3) for k in range(8)]
    user, item, _, seconds = good_rows()[0]
    more = [(user, item, "click", seconds), (user, item, "like", seconds + 50)]
    shop.write_log([*good_rows(), *bot, *more])
    snapshot, rows = _ingest(shop)
    assert Counter(r["reason"] for r in rows) == {"bot": 24, "duplicate": 1}
    counts = snapshot.artifact.manifest.counts
    assert (counts["num_merged_events"], counts["num_interactions"], counts["num_users"]) == (1, 240, 30)


def test_one_user_with_a_hundred_thousand_events(shop: Shop) -> None:
    busy = [("busy", f"i{k % NUM_ITEMS}", "click", START + 7 * k) for k in range(100_000)]
    shop.config["cleaning"] = {"merge_seconds": 0}
    shop.write_log([*good_rows(), *busy])
    snapshot, rows = _ingest(shop)
    assert rows == []
    counts = snapshot.artifact.manifest.counts
    assert counts["num_interactions"] == 100_240
    assert counts["num_positives"] == 240 + NUM_ITEMS
