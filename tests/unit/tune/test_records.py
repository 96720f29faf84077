from pathlib import Path

import pytest
from tests.support.studies import make_record

from visrec.errors import ArtifactError
from visrec.storage import Location
from visrec.tune.records import StudyLog, TrialReport, read_records, records_json


def test_the_log_is_what_was_written_whoever_reads_it(tmp_path: Path) -> None:
    log = StudyLog(Location.parse(tmp_path))
    records = [make_record(number, [0.1, 0.2]) for number in (1, 0)]
    for record in records:
        log.save(record)
    (tmp_path / "trials" / ".00002.json.x1").write_text("{")  # a write that a kill cut off
    assert StudyLog(Location.parse(tmp_path)).records == sorted(records, key=lambda r: r.number)


def test_a_repeated_epoch_counts_once_and_a_copied_one_stays() -> None:
    record, other = make_record(0, [0.1, 0.2, 0.3]), make_record(1, [0.5, 0.6, 0.7])
    record.add(other.results[1])
    assert [(r.epoch, r.objectives) for r in record.results] == [(1, [0.1]), (2, [0.6])]
    other.results[2].copied_from = 1
    record.add(other.results[2])
    assert record.num_trained == 3
    assert record.epochs == 3


def test_time_adds_up_over_the_starts(tmp_path: Path) -> None:
    log = StudyLog(Location.parse(tmp_path))
    assert log.seconds_spent() == 0
    first = log.open_session()
    log.touch_session(first, started=0.0)  # 1970 until now
    spent = log.seconds_spent()
    assert log.open_session() == first + 1
    assert log.seconds_spent() >= spent > 1e9


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    log = StudyLog(Location.parse(tmp_path))
    log.save(make_record(0, [0.1]))
    file = tmp_path / "trials" / "00000.json"
    file.write_text(file.read_text().replace('"epoch": 1', '"epoch": "first"'))
    line = r"00000\.json is damaged: results\.0\.epoch: Input should be a valid integer"
    with pytest.raises(ArtifactError, match=line):
        StudyLog(Location.parse(tmp_path))


def test_the_file_of_all_records_reads_back_with_numbers_that_json_lacks(tmp_path: Path) -> None:
    records = [make_record(0, [0.1]), make_record(1, [], status="failed", reason="no")]
    records[0].results[0].metrics = {"loss": float("inf"), "phase": "base", "epoch": 1}
    (tmp_path / "trials.json").write_text(records_json(records))
    assert read_records(Location.parse(tmp_path) / "trials.json") == records


def test_a_report_survives_the_mapping_that_ray_tune_passes_on() -> None:
    report = TrialReport(
        objectives=[0.5, 7.0],
        current=0.4,
        epoch=3,
        record={"phase": "base", "seconds": 1.0},
        finished=False,
        point={"model.dim": 8},
        copied_from="a1",
    )
    result = report.as_result()
    assert (result["objective_0"], result["objective_1"]) == (0.5, 7.0)
    assert TrialReport.from_result({**result, "trial_id": "b2", "done": False}) == report
