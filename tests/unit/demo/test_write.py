import csv
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from visrec.config import DemoDataConfig, IngestWorkloadConfig, load_config
from visrec.config.ingest import EventsConfig
from visrec.demo.log import COLUMNS
from visrec.demo.write import ShopCounts, ingest_config, ingest_yaml, write_shop
from visrec.storage import Location

A = TypeVar("A")
B = TypeVar("B")
TINY = DemoDataConfig(num_items=20, num_users=10, num_events=300, image_size=32)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _write(folder: Path, config: DemoDataConfig, seed: int, **options: Any) -> ShopCounts:
    return write_shop(Location.parse(folder).make_dirs(), config, seed, **options)


def _in_threads(function: Callable[[A], B], blocks: Iterable[A], /) -> Iterator[B]:
    with ThreadPoolExecutor(3) as pool:
        yield from pool.map(function, blocks)


def test_the_same_seed_gives_the_same_bytes_however_the_work_is_spread(tmp_path: Path) -> None:
    config = TINY.replace(num_items=55, num_users=205, num_events=1100)  # several blocks of each
    _write(tmp_path / "one", config, 0)
    _write(tmp_path / "two", config, 0, spread=_in_threads)
    _write(tmp_path / "other", config, 1)
    one, two, other = (_files(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert len(one) == 55 + 6
    assert all(one[name] != other[name] for name in ("interactions.csv", "items.csv", "truth/users.parquet"))


def test_a_tiny_shop_is_whole(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    counts = _write(tmp_path, TINY, 0, watch=lambda *step: steps.append(step))
    assert steps == [("pictures", 20, 20), ("users", 10, 10)]
    with (tmp_path / "items.csv").open() as file:
        items = list(csv.DictReader(file))
    assert len(items) == 20
    assert all((tmp_path / "images" / item["image"]).exists() for item in items)
    lines = (tmp_path / "interactions.csv").read_text().splitlines()
    assert lines[0].split(",") == list(COLUMNS)
    assert len(lines) - 1 == counts["rows"] == sum(counts["kinds"].values()) + sum(counts["dirt"].values())
    assert counts["rows"] == pytest.approx(300, rel=0.25)
    assert json.loads((tmp_path / "truth" / "truth.json").read_text())["counts"] == counts


def test_the_config_for_ingest_names_the_files_and_makes_a_view_an_impression(tmp_path: Path) -> None:
    folder = Location.parse(tmp_path / "demo-data").make_dirs()
    (folder / "ingest.yaml").write_text(ingest_yaml(folder, Location.parse(tmp_path)))
    job = load_config(IngestWorkloadConfig, tmp_path / "demo-data" / "ingest.yaml")
    assert job.workspace == str(tmp_path)
    assert job.ingest == ingest_config(folder)
    assert job.ingest.logs["ingest.interactions"].path == str(tmp_path / "demo-data" / "interactions.csv")
    assert job.ingest.events.resolved() == {**EventsConfig().resolved(), "view": 0.0}
