"""Times as people write them, as `visrec init` reads them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.datasets.world import write_pictures

from visrec.config import IngestWorkloadConfig, load_config
from visrec.workloads.init import InitResult, init

START = datetime(2023, 1, 1, 10)


def _init(
    root: Path, write: Callable[[datetime], str], *, days: int, settings: tuple[str, ...] = ()
) -> InitResult:
    rows = [
        f"u{u},i{(u + k) % 10},{write(START + timedelta(days=days * (u + k)))}"
        for u in range(20)
        for k in range(6)
    ]
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "log.csv").write_text("\n".join(["user_id,item_id,time", *rows]))
    write_pictures(root / "data" / "images", [f"i{k}.jpg" for k in range(10)])
    return init(str(root / "data"), output=root / "shop.yaml", settings=settings, force=True)


@pytest.mark.parametrize(
    ("write", "days", "key", "value"),
    [
        (lambda time: time.strftime("%d/%m/%Y %H:%M"), 3, "time_format", "%d/%m/%Y %H:%M"),
        (lambda time: time.strftime("%m/%d/%Y %I:%M %p"), 3, "time_format", "%m/%d/%Y %I:%M %p"),
        (lambda time: time.strftime("%d.%m.%y"), 3, "time_format", "%d.%m.%y"),
        (lambda time: time.strftime("%Y%m%d"), 1, "time_unit", "iso8601"),
        (lambda time: time.strftime("%Y%m%d%H%M%S"), 1, "time_unit", "iso8601"),
        (lambda time: str((time - datetime(1899, 12, 30)) / timedelta(days=1)), 1, "time_unit", "excel"),
    ],
)
def test_patterns_compact_dates_and_days_of_excel(
    tmp_path: Path, write: Callable[[datetime], str], days: int, key: str, value: str
) -> None:
    result = _init(tmp_path, write, days=days)
    assert result.runs
    assert result.preview is not None
    assert result.preview.num_valid == result.preview.num_rows == 120
    (log,) = load_config(IngestWorkloadConfig, tmp_path / "shop.yaml").ingest.logs.values()
    assert getattr(log, key) == value


def test_days_that_may_be_months_are_asked_about_and_never_taken(tmp_path: Path) -> None:
    def write(time: datetime) -> str:
        return time.replace(day=min(time.day, 12)).strftime("%d/%m/%Y")

    result = _init(tmp_path, write, days=1)
    assert not result.runs
    question = result.questions[0]
    assert (question.key, question.taken) == ("ingest.interactions.time_format", None)
    assert question.answers == (
        "--set 'ingest.interactions.time_format=%d/%m/%Y'",
        "--set 'ingest.interactions.time_format=%m/%d/%Y'",
    )
    answered = _init(tmp_path, write, days=1, settings=("ingest.interactions.time_format=%m/%d/%Y",))
    assert answered.runs
    (log,) = load_config(IngestWorkloadConfig, tmp_path / "shop.yaml").ingest.logs.values()
    assert log.time_format == "%m/%d/%Y"
