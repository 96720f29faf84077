"""Files that belong together, and folders of pictures."""

from pathlib import Path

import pytest
from tests.support.datasets.world import write_csv, write_lines, write_pictures

from visrec.inspection import inspect_data
from visrec.inspection.files import find_files
from visrec.inspection.samples import sample_table

HEADER = ["user_id", "item_id", "time"]
ROWS = [("a", "b", 1_700_000_000)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _tables(*paths: str) -> list[str]:
    return [table.path for table in find_files(paths).tables]


def test_parts_that_differ_in_numbers_are_one_table() -> None:
    for part in ("log/part-00000.csv", "log/part-00001.csv", "log/part-00010.csv"):
        write_csv(Path(part), ROWS, HEADER)
    write_csv(Path("log/items.csv"), [("b", "B")], ["item_id", "title"])
    assert _tables("log") == ["log/items.csv", "log/part-000*.csv"]
    parts = find_files(["log"]).tables[1]
    assert len(parts.files) == 3
    assert sample_table(parts.files).num_rows == 3


def test_parts_in_folders_of_dates_and_parts_with_uuids() -> None:
    uuid = "1f3b0a52-0000-4000-8000-0000000000"
    for part in ("2023/12/log.csv", "2024/01/log.csv", "2024/02/log.csv"):
        write_csv(Path("by_month") / part, ROWS, HEADER)
    for k in (11, 27):
        write_csv(Path("by_id") / f"part-{uuid}{k}.csv", ROWS, HEADER)
    assert _tables("by_month") == ["by_month/202*/*/log.csv"]
    assert _tables("by_id") == [f"by_id/part-{uuid}*.csv"]


def test_files_of_other_columns_or_names_are_tables_of_their_own() -> None:
    write_csv(Path("x/log1.csv"), ROWS, HEADER)
    write_csv(Path("x/log2.csv"), ROWS, [*HEADER[:2], "when"])
    write_csv(Path("x/other.csv"), ROWS, HEADER)
    assert _tables("x") == ["x/log1.csv", "x/log2.csv", "x/other.csv"]


def test_a_glob_that_would_match_another_table_is_not_used() -> None:
    write_csv(Path("x/log1.csv"), ROWS, HEADER)
    write_csv(Path("x/log2.csv"), ROWS, HEADER)
    write_csv(Path("x/log_old.csv"), ROWS, HEADER)
    assert _tables("x") == ["x/log1.csv", "x/log2.csv", "x/log_old.csv"]


def test_a_file_named_twice_counts_once() -> None:
    write_csv(Path("x/log.csv"), ROWS, HEADER)
    (table,) = find_files(["x", "x/log.csv"]).tables
    assert len(table.files) == 1


def test_hidden_files_are_left_out_and_others_told() -> None:
    write_csv(Path("x/log.csv"), ROWS, HEADER)
    write_csv(Path("x/.cache/log.csv"), ROWS, HEADER)
    write_csv(Path("x/__MACOSX/log.csv"), ROWS, HEADER)
    Path("x/model.bin").write_bytes(b"\x00\x01")
    Path("x/items.xlsx").write_bytes(b"PK")
    write_lines(Path("x/README"), ["One line, with a comma.", "And another without.", "So, or so, or so."])
    Path("x/nothing.csv").write_bytes(b"")
    found = find_files(["x"])
    assert [t.path for t in found.tables] == ["x/log.csv"]
    assert dict(found.unread) == {
        "x/README": "no table",
        "x/model.bin": "no table",
        "x/items.xlsx": "a spreadsheet: export it as CSV",
        "x/nothing.csv": "it is empty",
    }


def test_results_of_earlier_runs_are_left_out() -> None:
    write_csv(Path("x/log.csv"), ROWS, HEADER)
    for name in ("snapshots/1a/items.csv", "releases/2b/thumbnails/1.csv", "snapshots/1a/manifest.json"):
        write_csv(Path("x/workspace") / name, ROWS, HEADER)
    write_csv(Path("x/workspace/releases/2b/manifest.json"), ROWS)
    assert _tables("x", "x/workspace/snapshots") == ["x/log.csv", "x/workspace/snapshots/1a/items.csv"]
    assert _tables("x") == ["x/log.csv"]


def test_text_of_an_unknown_ending_is_tried_as_csv() -> None:
    write_lines(Path("x/clicks.dat"), ["user_id,item_id", "a,b"])
    (table,) = find_files(["x"]).tables
    assert (table.path, table.format, table.fields) == ("x/clicks.dat", "csv", ("user_id", "item_id"))


def test_folders_of_pictures_and_the_folder_above_several() -> None:
    write_pictures(Path("x/photos"), ["1.jpg", "2.PNG", "small/1.jpg", "large/1.jpg"])
    found = {folder.path: set(folder.names) for folder in find_files(["x"]).pictures}
    assert found == {
        "x/photos": {"1.jpg", "2.PNG", "small/1.jpg", "large/1.jpg"},
        "x/photos/small": {"1.jpg"},
        "x/photos/large": {"1.jpg"},
    }


def test_months_are_one_log_and_files_of_one_period_are_not() -> None:
    rows = [(f"u{k}", f"i{k % 7}", 1_700_000_000 + 3600 * k) for k in range(300)]
    for name, part in (("Oct", rows[:150]), ("Nov", rows[150:])):
        write_csv(Path(f"months/2019-{name}.csv"), part, HEADER)
    for name, part in (("train", rows[::2]), ("test", rows[1::2])):
        write_csv(Path(f"random/{name}.csv"), part, HEADER)
    (months,) = inspect_data(["months"]).logs
    assert (months.table.found.path, months.table.sample.num_rows) == ("months/2019-*.csv", 300)
    questions = inspect_data(["random"]).questions
    assert questions[0].text.startswith("2 tables could be the log: random/test.csv, random/train.csv.")
