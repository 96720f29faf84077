import json
from pathlib import Path

from PIL import Image
from tests.unit.evaluation.conftest import Evaluated

from visrec.evaluation.report.plots.contact_sheet import sheet_rows
from visrec.evaluation.report.write import PLOTS, write_report
from visrec.storage import Location


def write(evaluated: Evaluated, folder: Path) -> None:
    folder.mkdir()
    write_report(Location.parse(folder), evaluated.summary, evaluated.measures, evaluated.context)


def test_all_files_are_there_and_equal_the_second_time(evaluated: Evaluated, tmp_path: Path) -> None:
    write(evaluated, tmp_path / "a")
    write(evaluated, tmp_path / "b")
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {"report.json", "report.md", *PLOTS}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for name in PLOTS:
        with Image.open(tmp_path / "a" / name) as image:
            assert image.width > 600 and image.height > 300
    assert json.loads((tmp_path / "a" / "report.json").read_text())["num_items"] == 24


def test_the_sheet_shows_histories_hits_and_misses(evaluated: Evaluated) -> None:
    rows = sheet_rows(evaluated.measures, evaluated.plan, seed=0)
    assert len(rows) == 6
    for row in rows:
        assert len(row.history) == 6 and len(row.recommended) == 6 and len(row.held_out) == 1
        assert not row.held_out & set(row.history)
        assert len({item < 8 for item in (*row.history, *row.held_out)}) == 1  # all of one group
    assert all(row.held_out & set(row.recommended) for row in rows[:3])
