from pathlib import Path

from tests.support.studies import make_record

from visrec.storage import Location
from visrec.tune.records import StudyLog


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
