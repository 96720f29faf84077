"""`visrec init` on what is missing, ambiguous or no data at all: a line or a question each."""

from pathlib import Path

import pytest
from tests.support.datasets.world import NUM_ITEMS, events, write_csv, write_pictures
from typer.testing import CliRunner, Result

from visrec.config import PipelineConfig, load_config
from visrec.errors import ConfigError, DataError
from visrec.workloads.commands import app
from visrec.workloads.init import init

LOG_COLUMNS = ["user", "product_id", "timestamp"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def _log(path: str = "data/orders.csv", columns: list[str] | None = None) -> None:
    write_csv(Path(path), [(f"u{e.user}", f"i{e.item}", e.time) for e in events()], columns or LOG_COLUMNS)


def _pictures(folder: str = "data/photos", names: str = "i{}.jpg", count: int = NUM_ITEMS) -> None:
    write_pictures(Path(folder), [names.format(k) for k in range(count)])


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["init", *arguments])


def test_no_such_folder() -> None:
    with pytest.raises(DataError, match=r"^expected a file or a folder at nowhere, found none$"):
        init("nowhere")


def test_an_empty_folder() -> None:
    Path("data").mkdir()
    with pytest.raises(DataError, match=r"^expected files at data, found none$"):
        init("data")


def test_pictures_only() -> None:
    _pictures()
    with pytest.raises(DataError, match="found pictures only in data; give the path of the log as well"):
        init("data")


def test_binary_files() -> None:
    Path("data").mkdir()
    Path("data/a.bin").write_bytes(bytes(range(256)) * 20)
    Path("data/b.csv").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(DataError, match=r"found no table in data: data/a.bin: no table") as caught:
        init("data")
    assert "b.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_table_without_users_items_or_times_is_no_log(missing: int) -> None:
    _pictures()
    rows = [[f"u{e.user}", f"i{e.item}", e.time] for e in events()]
    columns = [name for k, name in enumerate(LOG_COLUMNS) if k != missing]
    write_csv(Path("data/log.csv"), [[v for k, v in enumerate(r) if k != missing] for r in rows], columns)
    with pytest.raises(DataError, match=rf"tables: log.csv \({', '.join(columns)}\)"):
        init("data")


def test_a_log_only_asks_for_pictures_and_takes_the_answer() -> None:
    _log()
    done = _run("data")
    assert done.exit_code == 3
    assert "There are no pictures. Put them into a folder, each named after its item (i" in done.output
    assert load_config(PipelineConfig, "shop.yaml").ingest.images.path is None
    _pictures("elsewhere")
    done = _run("data", "--set", "ingest.images.path=elsewhere", "--force")
    assert done.exit_code == 0, done.output
    assert load_config(PipelineConfig, "shop.yaml").ingest.images.path == "elsewhere"
    assert "given with --set" in Path("shop.yaml").read_text()


def test_two_logs_that_nothing_tells_apart() -> None:
    _log("data/train.csv")
    _log("data/test.csv")
    _pictures()
    done = _run("data")
    assert done.exit_code == 3
    assert "2 tables could be the log: data/test.csv, data/train.csv." in done.output
    assert "--log data/test.csv --log data/train.csv" in done.output
    written = Path("shop.yaml").read_text()
    assert "#   path: data/train.csv" in written
    config = load_config(PipelineConfig, "shop.yaml").ingest
    assert [log.path for log in config.logs.values()] == [None]
    done = _run("data", "--log", "data/train.csv", "--force")
    assert done.exit_code == 0, done.output
    config = load_config(PipelineConfig, "shop.yaml").ingest
    assert [log.path for log in config.logs.values()] == ["data/train.csv"]
    assert _run("data", "--log", "data/train.csv", "--log", "data/test.csv", "--force").exit_code == 0
    config = load_config(PipelineConfig, "shop.yaml").ingest
    assert {log.path for log in config.logs.values()} == {"data/train.csv", "data/test.csv"}


def test_pictures_that_no_item_is_named_after() -> None:
    _log()
    _pictures(names="IMG_{}.jpg")
    result = init("data")
    assert not result.runs
    assert "No picture is named after an item: the log has 'i" in result.questions[0].text
    assert "data/photos has 'IMG_0'" in result.questions[0].text


def test_more_rows_without_a_picture_than_ingest_allows() -> None:
    _log()
    _pictures(count=20)
    write_csv(Path("data/products.csv"), [(f"i{k}", f"Item {k}") for k in range(30)], ["product_id", "title"])
    result = init("data")
    assert result.preview is not None
    without = sum(e.item >= 20 for e in events())
    assert result.preview.num_rows - result.preview.num_usable == without
    assert f"item without a picture {without}" in result.questions[0].text
    share = round(without / len(events()) + 0.1, 1)
    assert result.questions[0].answers == (f"--set ingest.cleaning.max_rejected_share={share}",)
    assert init("data", settings=[f"ingest.cleaning.max_rejected_share={share}"], force=True).runs


def test_the_config_is_not_overwritten() -> None:
    _log()
    _pictures()
    Path("shop.yaml").write_text("seed: 7\n")
    with pytest.raises(
        ConfigError, match=r"^expected no file at shop.yaml, there is one; overwrite it with --force$"
    ):
        init("data")
    assert Path("shop.yaml").read_text() == "seed: 7\n"
    assert init("data", output="other.yaml").path == Path("other.yaml")


def test_a_wrong_answer_is_one_line() -> None:
    _log()
    _pictures()
    with pytest.raises(ConfigError, match=r"^ingest\.interactions\.time_unitt: unknown key"):
        init("data", settings=["ingest.interactions.time_unitt=s"])
    assert not Path("shop.yaml").exists()
