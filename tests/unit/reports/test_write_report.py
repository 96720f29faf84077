import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from rich.console import Console
from tests.support.evaluation import Evaluated

from visrec.evaluation.bootstrap import Interval
from visrec.reports.console import print_summary
from visrec.reports.contact_sheet import sheet_rows
from visrec.reports.files import PLOTS, write_report
from visrec.reports.report import PER_USER
from visrec.robustness.plan import Corruption, PromotionAttack
from visrec.robustness.summary import AttackEffect, CorruptionEffect, Robustness
from visrec.storage import Location


def write(evaluated: Evaluated, folder: Path, robustness: Robustness | None = None) -> None:
    folder.mkdir()
    write_report(
        Location.parse(folder), evaluated.summary, evaluated.measures, evaluated.report_context, robustness
    )


def test_all_files_are_there_and_equal_the_second_time(evaluated: Evaluated, tmp_path: Path) -> None:
    write(evaluated, tmp_path / "a")
    write(evaluated, tmp_path / "b")
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {"report.json", "report.md", PER_USER, *PLOTS}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for name in PLOTS:
        with Image.open(tmp_path / "a" / name) as image:
            assert image.width > 600 and image.height > 300
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    assert report["num_items"] == 24
    per_user = pq.read_table(tmp_path / "a" / PER_USER).to_pydict()
    assert per_user["user_index"] == evaluated.measures.user_index.tolist()
    for scorer, metrics in report["metrics"].items():
        assert np.mean(per_user[f"{scorer}/ndcg@10"]) == pytest.approx(metrics["ndcg@10"]["mean"], abs=1e-7)


def test_robustness_is_written_where_it_was_measured(evaluated: Evaluated, tmp_path: Path) -> None:
    half = Interval(mean=0.5, low=0.4, high=0.6)
    means = {"ndcg@10": half, "exposure@10": half, "reach@10": half}
    robustness = Robustness(
        num_users=42,
        num_targets=3,
        list_size=10,
        source="other",
        clean=means,
        users_per_item=2.0,
        attacks=(
            AttackEffect(
                attack=PromotionAttack(epsilon=8, transferred=True),
                after=means,
                change=means,
                users_per_item=3.0,
                psnr=31.5,
                ssim=0.9,
            ),
        ),
        corruptions=(
            CorruptionEffect(corruption=Corruption(name="blur", severity="mild"), ndcg=half, change=half),
        ),
    )
    write(evaluated, tmp_path / "a", robustness)
    assert "![Exposure of attacked items" in (tmp_path / "a" / "report.md").read_text()
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    assert report["robustness"]["pushes"][0]["psnr"] == 31.5
    with Image.open(tmp_path / "a" / "robustness.png") as image:
        assert image.width > 600 and image.height > 300
    console = Console(record=True, width=100)
    print_summary(evaluated.summary, evaluated.report_context, console, robustness)
    assert "8/255, transferred" in (printed := console.export_text()) and "blur, mild" in printed


def test_the_sheet_shows_histories_hits_and_misses(evaluated: Evaluated) -> None:
    rows = sheet_rows(evaluated.measures, evaluated.plan, seed=0)
    assert len(rows) == 6
    for row in rows:
        assert len(row.history) == 6 and len(row.recommended) == 6 and len(row.held_out) == 1
        assert not row.held_out & set(row.history)
        assert len({item < 8 for item in (*row.history, *row.held_out)}) == 1  # all of one group
    assert all(row.held_out & set(row.recommended) for row in rows[:3])
