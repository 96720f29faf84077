"""Small input of ingest on disk: a log, a catalogue and pictures, in any format.

shop = Shop(tmp_path)
run(shop.job(), console=Console(quiet=True))
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from visrec.config import IngestWorkloadConfig, parse_config

Row = tuple[str, str, str, int]
"""User, item, kind, seconds since 1970."""

START = 1_700_000_000
NUM_ITEMS = 12
NUM_USERS = 30


def good_rows() -> list[Row]:
    """Eight clicks of each user, an hour apart, on items in an order of its own."""
    rng = np.random.default_rng(0)
    return [
        (f"u{u}", f"i{item}", "click", START + u + 3600 * k)
        for u in range(NUM_USERS)
        for k, item in enumerate(rng.permutation(NUM_ITEMS)[:8])
    ]


def picture(item: int, file_format: str = "PNG") -> bytes:
    """A small picture of a colour that tells the item."""
    buffer = io.BytesIO()
    Image.new("RGB", (20, 16), (20 * item, 255 - 20 * item, 90)).save(buffer, file_format)
    return buffer.getvalue()


@dataclass(kw_only=True, slots=True)
class Shop:
    """A folder with input.

    Attributes:
        root: The folder.
        config: Sections of the ingest's config, to be changed before `job`.
    """

    root: Path
    config: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config = {
            "interactions": {"path": str(self.root / "log.csv")},
            "items": {"path": str(self.root / "items.csv")},
            "images": {"path": str(self.root / "images"), "height": 8, "width": 8, "thumbnail_size": 32},
            "cleaning": {},
        }
        (self.root / "images").mkdir(parents=True)
        for item in range(NUM_ITEMS):
            (self.root / "images" / f"i{item}.png").write_bytes(picture(item))
        (self.root / "items.csv").write_text("item_id\n" + "".join(f"i{k}\n" for k in range(NUM_ITEMS)))
        self.write_log(good_rows())

    def write_log(self, rows: Sequence[Row], *, end: bytes = b"") -> None:
        """Write `log.csv`; `end` is added as it is."""
        lines = ["user_id,item_id,kind,time", *(f"{u},{i},{k},{t}" for u, i, k, t in rows)]
        (self.root / "log.csv").write_bytes(("\n".join(lines) + "\n").encode() + end)

    def use_jsonl(self) -> None:
        """The log as JSONL in two files, the pictures as paths in a column."""
        (self.root / "log").mkdir()
        rows = [dict(zip(("user_id", "item_id", "kind", "time"), row, strict=True)) for row in good_rows()]
        for part, start in enumerate((0, 100)):
            chosen = rows[start : start + 100] if part == 0 else rows[start:]
            text = "\n".join(json.dumps(row) for row in chosen)
            (self.root / "log" / f"{part}.jsonl").write_text(text)
        items = [f"i{k},i{k}.png" for k in range(NUM_ITEMS)]
        (self.root / "items.csv").write_text("\n".join(["item_id,file", *items]))
        self.config["interactions"]["path"] = f"{self.root}/log/*.jsonl"
        self.config["items"]["columns"] = {"image": "file"}

    def use_parquet(self) -> None:
        """The log as Parquet with other names and typed times, the pictures as bytes in the catalogue."""
        users, items, kinds, seconds = zip(*good_rows(), strict=True)
        log = {"who": users, "what": items, "how": kinds, "at": pa.array(seconds, pa.timestamp("s"))}
        pq.write_table(pa.table(log), self.root / "log.parquet", row_group_size=64)
        catalogue = {
            "id": [f"i{k}" for k in range(NUM_ITEMS)],
            "bytes": [picture(k) for k in range(NUM_ITEMS)],
        }
        pq.write_table(pa.table(catalogue), self.root / "items.parquet", row_group_size=5)
        columns = {"user_id": "who", "item_id": "what", "kind": "how", "time": "at"}
        self.config["interactions"] = {"path": str(self.root / "log.parquet"), "columns": columns}
        self.config["items"] = {
            "path": str(self.root / "items.parquet"),
            "columns": {"item_id": "id", "image": "bytes"},
        }
        self.config["images"]["path"] = None

    def job(self, workspace: str = "workspace") -> IngestWorkloadConfig:
        """The job, in a workspace beside the input."""
        return parse_config(
            IngestWorkloadConfig, {"workspace": str(self.root / workspace), "ingest": self.config}
        )
